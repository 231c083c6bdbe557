// TLS servers and clients of the live tests, and what each request's connection truly was.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { EventFlag, EventKind } from '../../src/model/event.js';
import { freePort, type LiveEvent, runProgram, startProgram, startServer } from './live.js';

const program = (name: string) => fileURLToPath(new URL(`programs/${name}`, import.meta.url));

export interface Certificate {
  readonly directory: string;
  readonly key: string;
  readonly certificate: string;
  remove(): void;
}

/** A self-signed certificate for 127.0.0.1 in a directory of its own. */
export async function makeCertificate(): Promise<Certificate> {
  const directory = mkdtempSync(join(tmpdir(), 'aftertrace-tls-'));
  const key = join(directory, 'key.pem');
  const certificate = join(directory, 'certificate.pem');
  await runProgram('openssl', [
    ...['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-batch'],
    ...['-subj', '/CN=localhost', '-addext', 'subjectAltName=IP:127.0.0.1'],
    ...['-keyout', key, '-out', certificate],
  ]);
  return {
    directory,
    key,
    certificate,
    remove: () => rmSync(directory, { recursive: true, force: true }),
  };
}

/** @returns the port it listens on */
export async function startNodeServer({ key, certificate }: Certificate): Promise<number> {
  const port = await freePort();
  await startProgram(process.execPath, [program('tls-server.mjs'), key, certificate, String(port)]);
  return port;
}

/** nginx with TLS, one process: it is killed, and would leave workers behind. @returns the port it listens on */
export async function startNginx(files: Certificate): Promise<number> {
  const port = await freePort();
  const plain = await freePort();
  const { directory, key, certificate } = files;
  const configuration = join(directory, 'nginx.conf');
  writeFileSync(
    configuration,
    `daemon off; master_process off; pid ${directory}/pid; error_log ${directory}/error.log;
events {}
http {
  access_log off;
  client_body_temp_path ${directory}/body; proxy_temp_path ${directory}/proxy;
  fastcgi_temp_path ${directory}/f; uwsgi_temp_path ${directory}/u; scgi_temp_path ${directory}/s;
  server { listen 127.0.0.1:${plain}; return 200 "ready"; }
  server {
    listen 127.0.0.1:${port} ssl; ssl_certificate ${certificate}; ssl_certificate_key ${key};
    keepalive_requests 100000;
    location / { client_max_body_size 0; return 200 "$remote_port"; }
  }
}`,
  );
  await startServer('nginx', ['-e', `${directory}/error.log`, '-c', configuration], plain);
  return port;
}

/** The port that the client had, by the path of the request. */
export type Truth = ReadonlyMap<string, number>;

function readTruth(output: string): Truth {
  const lines = output.trim().split('\n');
  return new Map(
    lines.map((line) => {
      const [path = '', port] = line.split(' ');
      return [path, Number(port)];
    }),
  );
}

export async function askWithNode(
  way: 'agent' | 'fetch',
  port: number,
  requests: number,
  connections: number,
): Promise<Truth> {
  const args = [port, requests, connections].map(String);
  return readTruth(await runProgram(process.execPath, [program('tls-client.mjs'), ...args, way]));
}

export async function askWithPython(python: string, port: number, requests: number) {
  return readTruth(
    await runProgram(python, [program('tls_client.py'), String(port), String(requests)]),
  );
}

/** One connection, several requests. */
export async function askWithCurl(port: number, name: string, requests: number): Promise<Truth> {
  const paths = Array.from({ length: requests }, (_, number) => `/${name}-${port}-${number}`);
  const output = await runProgram('curl', [
    ...['-sk', '--noproxy', '*', '--http1.1', '-w', '\n'],
    ...paths.map((path) => `https://127.0.0.1:${port}${path}`),
  ]);
  const ports = output.trim().split('\n');
  return new Map(paths.map((path, number) => [path, Number(ports[number])]));
}

/** How the plaintext of requests that were recorded at one end compares with the truth. */
export interface Attribution {
  /** On the connection they went over. */
  readonly right: number;
  /** On another one. */
  readonly wrong: number;
  readonly missing: number;
}

/** @param end the client sends requests, the server receives them */
export function attribution(
  events: readonly LiveEvent[],
  truth: Truth,
  end: 'client' | 'server',
): Attribution {
  const ports = new Map<bigint, number>();
  for (const event of events) {
    if (event.kind !== EventKind.connection) continue;
    ports.set(event.connection, end === 'client' ? event.localPort : event.remotePort);
  }
  const kind = end === 'client' ? EventKind.send : EventKind.receive;
  const found = new Set<string>();
  let wrong = 0;
  for (const event of events) {
    const isHead = (event.flags & EventFlag.tls) !== 0 && (event.flags & EventFlag.head) !== 0;
    const path = /^[A-Z]+ (\S+) HTTP/.exec(event.payload)?.[1];
    if (event.kind !== kind || !isHead || path === undefined || !truth.has(path)) continue;
    if (found.has(path) || ports.get(event.connection) !== truth.get(path)) wrong++;
    else found.add(path);
  }
  return { right: found.size, wrong, missing: truth.size - found.size };
}

/** What {@link attribution} finds when all is well. */
export function all(truth: Truth): Attribution {
  return { right: truth.size, wrong: 0, missing: 0 };
}
