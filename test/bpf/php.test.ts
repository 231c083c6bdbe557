// nginx in front of php-fpm over a Unix socket: FastCGI is an opaque exchange whose two ends know each other.
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, it } from 'vitest';
import { EventFlag, EventKind } from '../../src/model/event.js';
import { NGINX } from './http-servers.js';
import {
  describeLive,
  freePort,
  hasTool,
  type LiveEvent,
  runProgram,
  settle,
  startProgram,
  startRecording,
  startServer,
  stopPrograms,
} from './live.js';

const REQUESTS = 5;

/** Debian names the program by its version. */
const PHP = readdirSync('/usr/sbin').find((name) => /^php-fpm[\d.]+$/.test(name)) ?? 'php-fpm';

const POOL = (directory: string) => `
[global]
error_log = /dev/stdout
daemonize = no
[www]
user = root
group = root
listen = ${directory}/php.sock
pm = static
pm.max_children = 1
`;

describeLive('php-fpm', () => {
  const workers = new Set<number>();
  afterEach(async () => {
    await stopPrograms();
    // They outlive a master that is killed.
    for (const pid of workers) process.kill(pid);
  });

  it.runIf([PHP, 'nginx'].every(hasTool))('is joined to nginx by its Unix socket', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'aftertrace-test-'));
    const port = await freePort();
    const script = join(directory, 'index.php');
    writeFileSync(script, '<?php echo "hello from php";');
    writeFileSync(join(directory, 'php.conf'), POOL(directory));
    const config = join(directory, 'nginx.conf');
    const proxy =
      'proxy_pass http://backend; proxy_http_version 1.1; proxy_set_header Connection "";';
    const fastcgi = `fastcgi_pass unix:${directory}/php.sock; fastcgi_param SCRIPT_FILENAME ${script};
      fastcgi_param REQUEST_METHOD $request_method;`;
    writeFileSync(config, NGINX(port, 1, directory).replace(proxy, fastcgi));
    const url = `http://127.0.0.1:${port}/`;
    // Root may run it, if it is told so.
    await startProgram(PHP, ['-R', '-y', join(directory, 'php.conf')]);
    await startServer('nginx', ['-c', config], port);
    const recording = startRecording({ names: ['nginx', PHP] });
    for (let i = 0; i < REQUESTS; i++)
      expect(await runProgram('curl', ['-sS', '--noproxy', '*', url])).toBe('hello from php');
    await settle();
    const events = await recording.finish();
    rmSync(directory, { recursive: true, force: true });

    const ends = events.filter(
      ({ kind, localAddress, remoteAddress }) =>
        kind === EventKind.connection && `${localAddress} ${remoteAddress}`.includes('/php.sock'),
    );
    const clients = ends.filter(({ remoteAddress }) => remoteAddress.includes('/php.sock'));
    expect(clients).toHaveLength(REQUESTS);
    const bytes = (end: LiveEvent | undefined, kind: number) =>
      events
        .filter((event) => event.connection === end?.connection && event.kind === kind)
        .reduce((sum, event) => sum + event.bytes, 0);
    for (const client of clients) {
      const server = ends.find(({ peer }) => peer === client.connection);
      expect(server).toBeDefined();
      workers.add(server!.pid);
      expect(server!.pid).not.toBe(client.pid);
      expect(bytes(client, EventKind.send)).toBe(bytes(server, EventKind.receive));
      expect(bytes(server, EventKind.send)).toBe(bytes(client, EventKind.receive));
      expect(bytes(client, EventKind.receive)).toBeGreaterThan('hello from php'.length);
      const turns = events.filter(({ connection }) => connection === client.connection);
      for (const { payload } of turns) expect(payload).toBe('');
      expect(turns.some(({ flags }) => flags & EventFlag.turn)).toBe(true);
    }
  });
});
