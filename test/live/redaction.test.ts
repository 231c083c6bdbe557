/** Secrets on the wire, plain or encrypted, split at every place, never reach the disk. */
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type RequestListener } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect as connectSecurely } from 'node:tls';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startRecorder } from '../../fixtures/record-shop.mjs';
import { openSegment } from '../../src/store/segment-reader.js';
import { describeLive } from '../bpf/live.js';
import { type Certificate, makeCertificate } from '../bpf/tls-servers.js';

const REQUEST = [
  'POST /pay?api_key=SECRETkey&shown=1&access_token=SECRETtoken HTTP/1.1',
  'Host: shop',
  'Authorization: Bearer SECRETauthorization',
  'cookie: session=SECRETcookie',
  'Proxy-Authorization: Basic SECRETproxy',
  'Content-Length: 10',
  'Connection: close',
  '',
  'SECRETbody',
].join('\r\n');

/** Sends the request in two writes, cut at every third byte, to a server that sets a secret cookie. */
async function sendCut(open: () => Promise<Socket>): Promise<void> {
  for (let cut = 1; cut < REQUEST.length; cut += 3) {
    const socket = await open();
    const closed = once(socket, 'close');
    socket.on('data', () => {});
    socket.write(REQUEST.slice(0, cut));
    await sleep(5);
    socket.write(REQUEST.slice(cut));
    await closed;
  }
}

async function openPlain(port: number): Promise<Socket> {
  const socket = connect(port, '127.0.0.1').setNoDelay(true);
  await once(socket, 'connect');
  return socket;
}

async function openSecure(port: number): Promise<Socket> {
  const socket = connectSecurely({ port, host: '127.0.0.1', rejectUnauthorized: false });
  socket.setNoDelay(true);
  await once(socket, 'secureConnect');
  return socket;
}

/** The marks that stand in place of secrets, each once. */
function marksOf(text: string): Set<string> {
  return new Set(text.match(/(?<=\*)[\w-]{8}(?=[*&\s])/g));
}
/** Secrets of the request and its response: every one is long enough for a mark. */
const SECRETS = 6;

describeLive('redaction', () => {
  const directory = mkdtempSync(join(tmpdir(), 'aftertrace-redaction-'));
  let files: Certificate;
  beforeAll(async () => {
    files = await makeCertificate();
  });
  afterAll(() => {
    rmSync(directory, { recursive: true, force: true });
    files.remove();
  });

  const answer: RequestListener = (_, response) => {
    response.setHeader('Set-Cookie', 'id=SECRETsetcookie; Path=/');
    response.end('SECRETbody');
  };

  function createAnyServer(isSecure: boolean) {
    if (!isSecure) return createServer(answer);
    const { key, certificate } = files;
    return createSecureServer({ key: readFileSync(key), cert: readFileSync(certificate) }, answer);
  }

  async function recorded(
    name: string,
    flags: readonly string[],
    isSecure = false,
  ): Promise<string> {
    const server = createAnyServer(isSecure).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const segments = mkdtempSync(join(directory, name));
    const recorder = startRecorder(segments, ['--port', String(port), ...flags]);
    await recorder.ready;
    await sendCut(() => (isSecure ? openSecure(port) : openPlain(port)));
    await sleep(800);
    await recorder.stop();
    server.close();
    let text = '';
    for (const file of readdirSync(segments).filter((entry) => entry.endsWith('.parquet'))) {
      const segment = await openSegment(join(segments, file));
      for await (const batch of segment.read()) {
        text += Buffer.from(batch.payload.data).toString('latin1');
      }
      segment.close();
    }
    return text;
  }

  test('masks every secret wherever the stream is cut, and keeps the rest', async () => {
    const text = await recorded('masked', ['--no-secret-marks']);
    expect(text.match(/SECRET\w+/g) ?? []).toEqual([]);
    expect(marksOf(text)).toEqual(new Set());
    expect(text.match(/shown=1/g)!.length).toBeGreaterThan(100);
  });

  test('leaves one mark for each secret, another in the next recording, and of TLS alike', async () => {
    const plain = await recorded('marked', []);
    const secure = await recorded('marked-secure', [], true);
    expect(`${plain}${secure}`.match(/SECRET\w+/g) ?? []).toEqual([]);
    const [first, second] = [marksOf(plain), marksOf(secure)];
    expect([first.size, second.size]).toEqual([SECRETS, SECRETS]);
    expect(new Set([...first, ...second]).size).toBe(2 * SECRETS);
  });

  test('is switched off by --no-redact alone', async () => {
    const text = await recorded('plain', ['--no-redact']);
    for (const secret of ['key', 'token', 'authorization', 'cookie', 'proxy', 'setcookie']) {
      expect(text).toContain(`SECRET${secret}`);
    }
  });

  test('masks every secret of TLS plaintext wherever writes are cut, and keeps the rest', async () => {
    const text = await recorded('secure', [], true);
    expect(text.match(/SECRET\w+/g) ?? []).toEqual([]);
    expect(text.match(/shown=1/g)!.length).toBeGreaterThan(100);
  });

  test('has seen the secrets of TLS: --no-redact stores them', async () => {
    const text = await recorded('secure-plain', ['--no-redact'], true);
    for (const secret of ['key', 'token', 'authorization', 'cookie', 'proxy', 'setcookie']) {
      expect(text).toContain(`SECRET${secret}`);
    }
  });
});
