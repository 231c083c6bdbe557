/**
 * Sets up everything a checkout needs: Debian packages, npm packages, the build, the BPF
 * programs and the addon. Safe to run again, and quick when there is nothing to do.
 *
 *   node scripts/setup.mjs [--for demo|test|lab]
 *
 * Plain Node without dependencies, because it runs before there are any.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
const LOG = join(ROOT, '.aftertrace', 'setup.log');

/** Debian and Ubuntu packages, and the file or program that shows they are there. */
const PACKAGES = [
  { name: 'clang', for: ['demo', 'test', 'lab'], program: 'clang' },
  { name: 'libbpf-dev', for: ['demo', 'test', 'lab'], file: '/usr/include/bpf/libbpf.h' },
  { name: 'libelf-dev', for: ['demo', 'test', 'lab'], file: '/usr/include/libelf.h' },
  { name: 'libzstd-dev', for: ['demo', 'test', 'lab'], file: '/usr/include/zstd.h' },
  { name: 'zlib1g-dev', for: ['demo', 'test', 'lab'], file: '/usr/include/zlib.h' },
  { name: 'libzstd-dev', for: ['demo', 'test', 'lab'], file: '/usr/include/zstd.h' },
  {
    name: 'bpftool',
    ubuntu: 'linux-tools-generic',
    for: ['demo', 'test', 'lab'],
    program: 'bpftool',
    file: '/usr/sbin/bpftool',
  },
  { name: 'make', for: ['demo', 'test', 'lab'], program: 'make' },
  { name: 'g++', for: ['demo', 'test', 'lab'], program: 'g++' },
  { name: 'python3', for: ['demo', 'test', 'lab'], program: 'python3' },
  { name: 'g++-aarch64-linux-gnu', for: ['test'], program: 'aarch64-linux-gnu-g++' },
  { name: 'age', for: ['test'], program: 'age' },
  { name: 'curl', for: ['test'], program: 'curl' },
  { name: 'iproute2', for: ['test'], program: 'ip', file: '/usr/sbin/ip' },
  { name: 'nftables', for: ['test'], program: 'nft', file: '/usr/sbin/nft' },
  { name: 'php-fpm', for: ['test'], file: '/etc/php' },
  { name: 'nginx-light', for: ['test', 'lab'], program: 'nginx', file: '/usr/sbin/nginx' },
  { name: 'default-jdk-headless', for: ['test', 'lab'], program: 'javac' },
  { name: 'golang-go', for: ['test', 'lab'], program: 'go' },
  { name: 'gunicorn', for: ['test', 'lab'], file: '/usr/bin/gunicorn' },
  {
    name: 'python3-aiohttp',
    for: ['lab'],
    file: '/usr/lib/python3/dist-packages/aiohttp/__init__.py',
  },
  { name: 'haproxy', for: ['lab'], file: '/usr/sbin/haproxy' },
  { name: 'redis-server', for: ['test', 'lab'], program: 'redis-server' },
  { name: 'postgresql', for: ['test', 'lab'], file: '/usr/lib/postgresql' },
  { name: 'chromium', ubuntu: 'chromium-browser', for: ['test'], program: 'chromium' },
];

const started = Date.now();

function say(text) {
  process.stderr.write(`[setup] ${text}\n`);
}

function has(program) {
  return spawnSync('sh', ['-c', `command -v ${program}`]).status === 0;
}

/** Runs a command with its output in the log, announced unless `what` is ''. @returns true if it succeeded */
function run(what, command, args, env = {}) {
  if (what !== '') say(what);
  const result = spawnSync(command, args, {
    cwd: ROOT,
    env: { ...process.env, ...env },
    encoding: 'utf8',
    maxBuffer: 256 * 1024 * 1024,
  });
  const output = `${result.stdout ?? ''}${result.stderr ?? ''}`;
  writeFileSync(LOG, `$ ${command} ${args.join(' ')}\n${output}\n`, { flag: 'a' });
  if (result.status === 0) return true;
  const tail = output.trim().split('\n').slice(-15).join('\n');
  say(
    `${what || args.join(' ')}: failed (${command} exited with ${result.status ?? result.signal}); the whole output is in ${LOG}\n${tail}`,
  );
  return false;
}

function missingPackages(purpose) {
  return PACKAGES.filter(({ for: purposes }) => purposes.includes(purpose)).filter(
    ({ program, file }) => !((program && has(program)) || (file && existsSync(file))),
  );
}

function installPackages(purpose) {
  const missing = missingPackages(purpose);
  if (missing.length === 0) return;
  const release = existsSync('/etc/os-release') ? readFileSync('/etc/os-release', 'utf8') : '';
  const isUbuntu = /^ID=ubuntu/m.test(release);
  const names = missing.map(({ name, ubuntu }) => (isUbuntu && ubuntu ? ubuntu : name));
  const install = `apt-get install -y --no-install-recommends ${names.join(' ')}`;
  if (process.getuid?.() !== 0 || !has('apt-get')) {
    say(
      `missing: ${names.join(', ')}. Install them (on Debian or Ubuntu as root: ${install}); going on with what is there.`,
    );
    return;
  }
  const env = { DEBIAN_FRONTEND: 'noninteractive' };
  const lock = ['-o', 'DPkg::Lock::Timeout=300', '-o', 'Acquire::Retries=3'];
  run('updating the package lists', 'apt-get', [...lock, 'update'], env);
  const args = [...lock, 'install', '-y', '--no-install-recommends'];
  if (run(`installing ${names.join(', ')}`, 'apt-get', [...args, ...names], env)) return;
  // One name that this release does not know must not keep the others away.
  for (const name of names) run(`installing ${name} alone`, 'apt-get', [...args, name], env);
}

/** Time of the newest file below `directory`, ms. */
function newest(directory) {
  let latest = 0;
  for (const entry of readdirSync(directory, { withFileTypes: true })) {
    const path = join(directory, entry.name);
    const time = entry.isDirectory() ? newest(path) : statSync(path).mtimeMs;
    latest = Math.max(latest, time);
  }
  return latest;
}

function isOlder(path, time) {
  return !existsSync(path) || statSync(path).mtimeMs < time;
}

function installModules() {
  const lock = join(ROOT, 'package-lock.json');
  const mark = join(ROOT, 'node_modules', '.package-lock.json');
  if (!isOlder(mark, statSync(lock).mtimeMs)) return;
  if (!run('installing npm packages', 'npm', ['ci', '--no-audit', '--no-fund'])) process.exit(1);
}

function build() {
  const mark = join(ROOT, '.aftertrace', 'built');
  const sources = Math.max(
    newest(join(ROOT, 'src')),
    statSync(join(ROOT, 'package.json')).mtimeMs,
    statSync(join(ROOT, 'tsconfig.json')).mtimeMs,
  );
  if (!isOlder(mark, sources) && existsSync(join(ROOT, 'dist', 'cli', 'main.js'))) return;
  if (!run('building', 'npm', ['run', '--silent', 'build'])) process.exit(1);
  writeFileSync(mark, '');
}

function buildNative() {
  if (process.platform !== 'linux') {
    say('recording needs Linux: the addon is not built; reconstruct and report work');
    return;
  }
  const built = join(ROOT, 'prebuilds', `linux-${process.arch}`, 'aftertrace.node');
  const what = existsSync(built) ? '' : 'building the kernel programs and the addon';
  if (!run(what, process.execPath, ['scripts/build-native.mjs'])) {
    say('recording will not work here; reconstruct and report do');
  }
}

function checkNode() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major > 20 || (major === 20 && minor >= 10)) return;
  say(`Node ${process.versions.node} is too old: install Node 20.10 or newer.`);
  process.exit(1);
}

const at = process.argv.indexOf('--for');
const purpose = at === -1 ? 'demo' : process.argv[at + 1];
if (!['demo', 'test', 'lab'].includes(purpose)) {
  say('usage: node scripts/setup.mjs [--for demo|test|lab]');
  process.exit(2);
}
checkNode();
mkdirSync(dirname(LOG), { recursive: true });
installPackages(purpose);
installModules();
build();
buildNative();
const seconds = (Date.now() - started) / 1000;
if (seconds > 2) say(`ready after ${seconds.toFixed(0)} s`);
