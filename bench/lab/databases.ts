import { execFileSync } from 'node:child_process';
import { chownSync, existsSync, mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { freePorts, type Host } from '../../fixtures/host.mjs';

/** Debian puts the server's programs below a directory of its version. */
function postgresPrograms(): string {
  const base = '/usr/lib/postgresql';
  const versions = existsSync(base) ? readdirSync(base).sort((a, b) => Number(b) - Number(a)) : [];
  if (versions[0] === undefined) {
    throw new Error('PostgreSQL is not installed; run: node scripts/setup.mjs --for lab');
  }
  return join(base, versions[0], 'bin');
}

async function startPostgres(host: Host, scratch: string, port: number): Promise<void> {
  const programs = postgresPrograms();
  const data = join(scratch, 'postgres');
  mkdirSync(data);
  // The server refuses to run as root.
  const asUser = process.getuid?.() === 0 ? ['setpriv', ...SETPRIV] : [];
  if (asUser.length > 0) {
    const [uid, gid] = ['-u', '-g'].map((which) =>
      Number(execFileSync('id', [which, 'postgres'], { encoding: 'utf8' })),
    );
    chownSync(data, uid!, gid!);
  }
  const run = (program: string, ...args: string[]) => [...asUser, join(programs, program), ...args];
  const [init, ...initArgs] = run('initdb', '-D', data, '-U', 'postgres', '-A', 'trust', '-N');
  execFileSync(init!, initArgs, { stdio: 'pipe', cwd: '/' });
  const settings = ['fsync=off', `port=${port}`, 'listen_addresses=127.0.0.1'];
  const sockets = `unix_socket_directories=${data}`;
  const [server, ...args] = run(
    'postgres',
    ...['-D', data, ...[...settings, sockets].flatMap((setting) => ['-c', setting])],
  );
  await host.start('postgres', port, server!, args, { stdio: 'ignore' });
}

const SETPRIV = ['--reuid', 'postgres', '--regid', 'postgres', '--clear-groups'];

/** Starts the databases that are wanted. @returns the port of each */
export async function startStores(
  host: Host,
  scratch: string,
  wanted: ReadonlySet<'redis' | 'postgres'>,
): Promise<Record<string, number>> {
  const [redis, postgres] = await freePorts(2);
  if (wanted.has('redis')) {
    const args = ['--port', String(redis), '--bind', '127.0.0.1', '--save', '', '--dir', scratch];
    await host.start('redis', redis!, 'redis-server', args);
  }
  if (wanted.has('postgres')) await startPostgres(host, scratch, postgres!);
  return { redis: redis!, postgres: postgres! };
}
