// The Debian package: built, installed, run as its unit would, upgraded, removed, purged. On this machine, which
// is left as it was.
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const UNIT = join(ROOT, 'packaging/aftertrace.service');
const STATE = '/var/lib/aftertrace';
const CONFIG = '/etc/aftertrace/aftertrace.conf';

function reasonToSkip(): string {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return 'it needs root on Linux.';
  for (const program of ['dpkg-deb', 'dpkg', 'setpriv']) {
    if (spawnSync('sh', ['-c', `command -v ${program}`]).status !== 0) return `no ${program} here.`;
  }
  const { status, stdout } = spawnSync('dpkg-query', ['-W', '-f', '${Version}', 'nodejs'], {
    encoding: 'utf8',
  });
  if (status !== 0 || Number.parseInt(stdout, 10) < 20)
    return 'no package of Node 20 is installed.';
  if (existsSync(STATE) || spawnSync('dpkg', ['-s', 'aftertrace']).status === 0)
    return 'aftertrace is already installed.';
  return '';
}

const reason = reasonToSkip();
beforeAll(() => {
  if (reason !== '') console.warn(`SKIPPED: the Debian package: ${reason}`);
});

const directory = mkdtempSync(join(tmpdir(), 'aftertrace-deb-test-'));

function build(version: string): string {
  const args = ['scripts/package-deb.mjs', '--out', directory, '--version', version];
  return execFileSync(process.execPath, args, { cwd: ROOT, encoding: 'utf8' }).trim();
}

function dpkg(...args: string[]): string {
  const { status, stdout, stderr } = spawnSync('dpkg', args, { encoding: 'utf8' });
  expect(status, stderr).toBe(0);
  return stdout;
}

/** A setting of the unit, whose values may be spread over lines. */
function setting(name: string): string[] {
  const lines = readFileSync(UNIT, 'utf8')
    .split('\n')
    .filter((line) => line.startsWith(`${name}=`));
  return lines.flatMap((line) => line.slice(name.length + 1).split(' '));
}

/** As systemd starts the unit: its user, exactly its capabilities, no new privileges, its command. */
function startAsUnit() {
  const names = setting('AmbientCapabilities').map((name) =>
    name.replace('CAP_', '').toLowerCase(),
  );
  expect(setting('CapabilityBoundingSet').sort()).toEqual(setting('AmbientCapabilities').sort());
  const given = names.map((name) => `+${name}`).join(',');
  const [command = '', ...args] = setting('ExecStart');
  const privileges = [
    `--reuid=${setting('User')[0]}`,
    `--regid=${setting('Group')[0]}`,
    '--clear-groups',
    `--inh-caps=-all,${given}`,
    `--ambient-caps=-all,${given}`,
    `--bounding-set=-all,${given}`,
    '--no-new-privs',
  ];
  const child = spawn(
    'setpriv',
    [...privileges, command, ...args.filter((arg) => arg !== '--quiet')],
    {
      stdio: ['ignore', 'pipe', 'pipe'],
      cwd: '/',
    },
  );
  let output = '';
  child.stderr.on('data', (chunk) => {
    output += chunk;
  });
  return { child, output: () => output };
}

/** Capabilities of all threads, joined. */
function permitted(pid: number): bigint {
  return readdirSync(`/proc/${pid}/task`)
    .map((thread) => readFileSync(`/proc/${pid}/task/${thread}/status`, 'utf8'))
    .map((status) => BigInt(`0x${/^CapPrm:\s*(\w+)/m.exec(status)?.[1]}`))
    .reduce((all, bits) => all | bits, 0n);
}

const SYS_PTRACE = 1n << 19n;

describe.runIf(reason === '')('the Debian package', () => {
  afterAll(() => {
    spawnSync('dpkg', ['--purge', 'aftertrace']);
    rmSync(directory, { recursive: true, force: true });
  });

  test('installs, records as its unit, survives an upgrade, and goes without a trace', async () => {
    const first = build('0.1.0');
    const second = build('0.1.1');
    dpkg('-i', first);
    const version = execFileSync('/usr/bin/aftertrace', ['--version'], { encoding: 'utf8' });
    expect(version).toMatch(/^\d+\.\d+\.\d+\n$/);
    expect(statSync(STATE).mode & 0o777).toBe(0o700);
    const verified = spawnSync(
      'systemd-analyze',
      ['verify', '/lib/systemd/system/aftertrace.service'],
      {
        encoding: 'utf8',
      },
    );
    if (verified.error === undefined) expect(verified.stderr).toBe('');

    writeFileSync(CONFIG, `${readFileSync(CONFIG, 'utf8')}\nport = [47110]\nhints = "none"\n`);
    const { child, output } = startAsUnit();
    for (let i = 0; i < 300 && !output().includes('recording to'); i++) await sleep(100);
    expect(output()).toContain(`recording to ${STATE}`);
    expect(output()).not.toContain('warning');
    await sleep(500);
    expect(permitted(child.pid!)).toBe(SYS_PTRACE);
    const ask = `
import socket
listener = socket.create_server(('127.0.0.1', 47110))
client = socket.create_connection(('127.0.0.1', 47110))
server, _ = listener.accept()
client.sendall(b'GET /packaged HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n')
server.recv(1000)
`;
    execFileSync('python3', ['-c', ask]);
    await sleep(1500);
    child.kill('SIGTERM');
    const [code] = await once(child, 'exit');
    expect(setting('SuccessExitStatus')).toEqual([String(code)]);
    expect(output()).toContain('lost nothing');
    const segments = readdirSync(STATE).filter((name) => name.endsWith('.parquet'));
    expect(segments).toHaveLength(1);
    expect(statSync(join(STATE, segments[0]!)).mode & 0o777).toBe(0o600);
    const inspected = execFileSync('/usr/bin/aftertrace', ['inspect', STATE], { encoding: 'utf8' });
    expect(inspected).toMatch(/receive 1/);

    // The settings were changed here: an upgrade keeps them, and the recordings.
    dpkg('--force-confold', '-i', second);
    expect(dpkg('-s', 'aftertrace')).toContain('Version: 0.1.1');
    expect(readFileSync(CONFIG, 'utf8')).toContain('port = [47110]');
    expect(readdirSync(STATE)).toEqual(segments);

    writeFileSync(join(STATE, 'somebody-elses.txt'), 'stays');
    expect(dpkg('-r', 'aftertrace')).toContain(`recordings stay in ${STATE}`);
    expect(existsSync('/usr/lib/aftertrace')).toBe(false);
    expect(readdirSync(STATE)).toEqual([...segments, 'somebody-elses.txt'].sort());
    dpkg('--purge', 'aftertrace');
    expect(readdirSync(STATE)).toEqual(['somebody-elses.txt']);
    expect(existsSync('/etc/aftertrace')).toBe(false);
    expect(spawnSync('getent', ['passwd', 'aftertrace']).status).not.toBe(0);
    rmSync(STATE, { recursive: true });
  }, 300_000);
});
