// Plaintext of TLS on real servers and clients: every request is found, on the connection it went over.
import { copyFileSync, existsSync, mkdtempSync, readdirSync, readlinkSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { EventFlag, EventKind } from '../../src/model/event.js';
import type { TlsFinding } from '../../src/recorder/source.js';
import {
  describeLive,
  endpoints,
  hasTool,
  runProgram,
  settle,
  startProgram,
  startRecording,
  stopPrograms,
} from './live.js';
import {
  all,
  askWithCurl,
  askWithNode,
  askWithPython,
  attribution,
  type Certificate,
  makeCertificate,
  startNginx,
  startNodeServer,
} from './tls-servers.js';

/** Files that this process has open: the recorder keeps one of each library that it probes. */
function openFiles(): string[] {
  return readdirSync('/proc/self/fd').map((descriptor) => {
    try {
      return readlinkSync(`/proc/self/fd/${descriptor}`);
    } catch {
      return '';
    }
  });
}

describeLive('plaintext of TLS', () => {
  let files: Certificate;
  beforeAll(async () => {
    files = await makeCertificate();
  });
  afterEach(stopPrograms);
  afterAll(() => files.remove());

  const record = (port: number) =>
    startRecording({ tls: true, ports: [port], ringBytes: 16 << 20 });

  it('joins memory BIOs: Node to Node over 64 connections', async () => {
    const port = await startNodeServer(files);
    const recording = record(port);
    const truth = await askWithNode('agent', port, 640, 64);
    await settle();
    const events = await recording.finish();
    expect(truth.size).toBe(640);
    expect(attribution(events, truth, 'server')).toEqual(all(truth));
    expect(attribution(events, truth, 'client')).toEqual(all(truth));
    expect(recording.source.stats().dropped['tls-unjoined']).toBe(0);
  });

  it('joins what fetch does, which writes heads after the handshake', async () => {
    const port = await startNodeServer(files);
    const recording = record(port);
    const truth = await askWithNode('fetch', port, 192, 64);
    await settle();
    const events = await recording.finish();
    expect(attribution(events, truth, 'server')).toEqual(all(truth));
    expect(attribution(events, truth, 'client')).toEqual(all(truth));
  });

  it.runIf(hasTool('nginx'))('joins calls that do the I/O: Python and curl to nginx', async () => {
    const port = await startNginx(files);
    const recording = record(port);
    // The first maps its library when the recording runs: its probes are set within milliseconds.
    await askWithCurl(port, 'first', 1);
    const truth = new Map([
      ...(await askWithCurl(port, 'curl', 20)),
      ...(await askWithPython('/usr/bin/python3', port, 40)),
    ]);
    await settle();
    const events = await recording.finish();
    expect(truth.size).toBe(60);
    expect(attribution(events, truth, 'server')).toEqual(all(truth));
    expect(attribution(events, truth, 'client')).toEqual(all(truth));
  });

  it('counts the same plaintext at both ends, and bounds where it is in the TCP stream', async () => {
    const port = await startNodeServer(files);
    const recording = record(port);
    await askWithNode('agent', port, 60, 2);
    await settle();
    const events = await recording.finish();
    const pairs = endpoints(events, port);
    expect(pairs).toHaveLength(2);
    for (const { client, server } of pairs) {
      const plain = (end: typeof client | undefined, kind: number) =>
        (end?.events ?? []).filter((e) => e.kind === kind && (e.flags & EventFlag.tls) !== 0);
      const total = (list: ReturnType<typeof plain>) => list.reduce((sum, e) => sum + e.bytes, 0);
      const sent = plain(client, EventKind.send);
      const received = plain(server, EventKind.receive);
      expect(total(received)).toBe(total(sent));
      expect(total(plain(client, EventKind.receive))).toBe(total(plain(server, EventKind.send)));
      const heads = (list: typeof sent) => list.filter((e) => (e.flags & EventFlag.head) !== 0);
      heads(received).forEach((got, k) => {
        expect((got.sequence - heads(sent)[k]!.sequence) | 0).toBeGreaterThan(0);
        const following = heads(sent)[k + 1];
        if (following) expect((following.sequence - got.sequence) | 0).toBeGreaterThanOrEqual(0);
      });
    }
  });

  it.runIf(hasTool('gnutls-cli'))('sees through GnuTLS', async () => {
    const port = await startNodeServer(files);
    const recording = record(port);
    const ask = `printf 'GET /gnutls HTTP/1.1\\r\\nHost: x\\r\\nConnection: close\\r\\n\\r\\n' | timeout 10 gnutls-cli --insecure -p ${port} 127.0.0.1`;
    await runProgram('sh', ['-c', `${ask} >/dev/null; true`]);
    await runProgram('sh', ['-c', `${ask} >/dev/null; true`]);
    await settle();
    const events = await recording.finish();
    const sends = events.filter((e) => e.kind === EventKind.send && e.payload.includes('/gnutls'));
    expect(sends.length).toBeGreaterThan(0);
    expect(
      events.some((e) => e.kind === EventKind.receive && e.payload.includes('HTTP/1.1 200')),
    ).toBe(true);
  });

  it('records nothing of it when it is off', async () => {
    const port = await startNodeServer(files);
    const recording = startRecording({ ports: [port] });
    await askWithNode('agent', port, 10, 2);
    await settle();
    const events = await recording.finish();
    expect(recording.source.tls?.()).toBeUndefined();
    // Ciphertext is summed: few records, but every byte. Ten requests and two handshakes are more than this.
    expect(events.reduce((sum, { bytes }) => sum + bytes, 0)).toBeGreaterThan(4000);
    expect(events.filter((e) => (e.flags & EventFlag.tls) !== 0)).toEqual([]);
  });

  it('takes its probes off a library when the last process that maps it ends', async () => {
    const port = await startNodeServer(files);
    const library = '/usr/lib/x86_64-linux-gnu/libssl.so.3';
    if (!existsSync(library)) return;
    const directory = mkdtempSync(join(tmpdir(), 'aftertrace-libssl-'));
    copyFileSync(library, join(directory, 'libssl.so.3'));
    const recording = record(port);
    const found: TlsFinding[] = [];
    const state = () => {
      const now = recording.source.tls!()!;
      found.push(...now.findings.filter(({ path }) => path.startsWith(directory)));
      return now;
    };
    try {
      state();
      const script = `import ssl; print('ready', flush=True); input()`;
      const child = await startProgram('env', [
        `LD_LIBRARY_PATH=${directory}`,
        ...['/usr/bin/python3', '-c', script],
      ]);
      for (let i = 0; i < 100 && found.length === 0; i++) {
        await sleep(20);
        state();
      }
      expect(found.map(({ kind, detail }) => ({ kind, detail }))).toEqual([
        { kind: 'plaintext', detail: '' },
      ]);
      const { targets } = state();
      const isOpen = () => openFiles().includes(join(directory, 'libssl.so.3'));
      expect(isOpen()).toBe(true);
      child.stdin!.end('\n');
      for (let i = 0; i < 60 && isOpen(); i++) await sleep(500);
      expect(isOpen()).toBe(false);
      expect(targets).toBeGreaterThan(0);
    } finally {
      await recording.finish();
      rmSync(directory, { recursive: true, force: true });
    }
  });
});
