/**
 * What services depend on beside HTTP over TCP, from the command line: nginx in front of gunicorn over a
 * Unix socket, whose handler asks Redis, and PostgreSQL asked by psql. Real servers, real traffic.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { CLI, startRecorder } from '../../fixtures/record-shop.mjs';
import type { SpanTable } from '../../src/model/span.js';
import { readReconstruction } from '../../src/store/span-store.js';
import { describeLive, freePort, hasTool } from '../bpf/live.js';

const REQUESTS = 20;
const PATH = `${process.env.PATH}:/usr/sbin:/usr/lib/postgresql/15/bin`;

const NGINX = (port: number, directory: string) => `
daemon off; master_process off; pid ${directory}/nginx.pid; error_log stderr crit;
events {}
http {
  access_log off;
  client_body_temp_path ${directory}; proxy_temp_path ${directory}; fastcgi_temp_path ${directory};
  uwsgi_temp_path ${directory}; scgi_temp_path ${directory};
  server { listen 127.0.0.1:${port}; location / { proxy_pass http://unix:${directory}/app.sock; } }
}`;

const APP = (redis: number) => `
import socket
redis = None
def ask(*words):
    global redis
    if redis is None: redis = socket.create_connection(('127.0.0.1', ${redis}))
    redis.sendall(b'*%d\\r\\n' % len(words) + b''.join(b'$%d\\r\\n%s\\r\\n' % (len(w), w) for w in words))
    return redis.recv(4096)
def application(environ, start_response):
    ask(b'SET', b'key-7Qx9', b'value-7Qx9')
    answer = ask(b'GET', b'key-7Qx9')
    start_response('200 OK', [('Content-Length', str(len(answer)))])
    return [answer]
`;

const tools = ['nginx', 'gunicorn', 'redis-server', 'postgres', 'psql', 'curl'];

describeLive('dependencies, end to end', () => {
  if (!tools.every(hasTool)) {
    test.skip(`needs ${tools.join(', ')}`, () => {});
    return;
  }
  const directory = mkdtempSync(join(tmpdir(), 'aftertrace-dependencies-'));
  const children: ChildProcess[] = [];
  let spans: SpanTable;

  const start = (command: string, args: string[], options = {}) => {
    const child = spawn(command, args, {
      stdio: 'ignore',
      cwd: directory,
      env: { ...process.env, PATH },
      ...options,
    });
    children.push(child);
  };
  const run = (command: string, args: string[]) =>
    spawnSync(command, args, { encoding: 'utf8', env: { ...process.env, PATH } });
  const until = async (command: string, args: string[]) => {
    for (let tries = 0; run(command, args).status !== 0; tries++) {
      if (tries > 150) throw new Error(`${command} ${args.join(' ')} never succeeded`);
      await sleep(100);
    }
  };
  const select = (role: string, protocol: string) =>
    Array.from(spans.service.keys()).filter(
      (row) => spans.role[row] === role && spans.protocol[row] === protocol,
    );

  beforeAll(async () => {
    chmodSync(directory, 0o755);
    const [port, redis, postgres] = [await freePort(), await freePort(), await freePort()];
    const data = join(directory, 'data');
    mkdirSync(data);
    run('chown', ['postgres', data]);
    const asPostgres = ['--reuid=postgres', '--regid=postgres', '--init-groups'];
    run('setpriv', [...asPostgres, 'initdb', '-D', data, '-A', 'trust', '-N']);
    writeFileSync(join(directory, 'nginx.conf'), NGINX(port, directory));
    writeFileSync(join(directory, 'app.py'), APP(redis));
    start('setpriv', [...asPostgres, 'postgres', '-D', data, '-p', String(postgres), '-k', '']);
    start('redis-server', ['--port', String(redis), '--save', '']);
    start('gunicorn', ['--bind', `unix:${directory}/app.sock`, '--umask', '0', 'app:application']);
    start('nginx', ['-c', join(directory, 'nginx.conf')]);
    const curl = ['-sf', '--noproxy', '*'];
    const psql = ['-h', '127.0.0.1', '-p', String(postgres), '-U', 'postgres', '-c'];
    await until('curl', [...curl, `http://127.0.0.1:${port}/`]);
    await until('psql', [...psql, 'select 1']);

    const recorder = startRecorder(join(directory, 'segments'));
    await recorder.ready;
    for (let i = 0; i < REQUESTS; i++) {
      expect(run('curl', [...curl, `http://127.0.0.1:${port}/order/${i}`]).status).toBe(0);
    }
    // Not as an argument: command lines are recorded.
    writeFileSync(join(directory, 'query.sql'), "select 'literal-7Qx9', pg_sleep(0.3);");
    expect(run('psql', [...psql.slice(0, -1), '-f', join(directory, 'query.sql')]).status).toBe(0);
    await sleep(500);
    await recorder.stop();
    const out = join(directory, 'out');
    const result = run(process.execPath, [
      CLI,
      'reconstruct',
      join(directory, 'segments'),
      '--out',
      out,
    ]);
    expect(result.stderr).not.toMatch(/error/i);
    ({ spans } = await readReconstruction(out));
  });

  afterAll(async () => {
    for (const child of children) {
      child.kill('SIGTERM');
      if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
    }
    rmSync(directory, { recursive: true, force: true });
  });

  test('joins the hops over the Unix socket', () => {
    const servers = select('server', 'http').filter((row) =>
      spans.local[row]!.endsWith('/app.sock'),
    );
    expect(servers).toHaveLength(REQUESTS);
    const rowOf = new Map(spans.span_id.map((id, row) => [id, row]));
    for (const row of servers) {
      expect(spans.target[row]).toMatch(/^\/order\//);
      expect(spans.parent_method[row]).toBe('hop');
      const client = rowOf.get(spans.parent_span_id[row]!)!;
      expect(spans.peer[client]).toBe(`unix:${directory}/app.sock`);
      expect(spans.target[client]).toBe(spans.target[row]);
      expect(spans.service[client]).toContain('nginx');
    }
  });

  test('shows what Redis was asked, below the request that asked', () => {
    const calls = select('client', 'redis');
    expect(calls.map((row) => spans.method[row])).toEqual(expect.arrayContaining(['SET', 'GET']));
    expect(calls).toHaveLength(2 * REQUESTS);
    const linked = calls.filter((row) => spans.parent_span_id[row] !== '');
    expect(linked).toHaveLength(calls.length);
    // Both ends were recorded and joined: the server's exchanges hang below the client's.
    const served = select('server', 'redis').filter((row) => spans.parent_method[row] === 'hop');
    expect(served).toHaveLength(2 * REQUESTS);
  });

  test('times a query of PostgreSQL', () => {
    const queries = select('client', 'postgresql').filter((row) => spans.method[row] === 'SELECT');
    expect(queries).toHaveLength(1);
    const [row] = queries;
    const milliseconds = Number(spans.end_ns[row!]! - spans.start_ns[row!]!) / 1e6;
    expect(milliseconds).toBeGreaterThan(295);
    expect(milliseconds).toBeLessThan(2000);
  });

  test('keeps no key, value or literal', () => {
    const found = spawnSync('grep', ['-rac', '7Qx9', join(directory, 'segments')], {
      encoding: 'utf8',
    });
    expect(found.stdout).not.toMatch(/:[1-9]/);
  });
});
