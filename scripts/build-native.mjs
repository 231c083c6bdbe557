// Builds the kernel programs and the addon around them:
// bpf/*.c -> bpf/build/aftertrace.bpf.o and aftertrace_syscall.bpf.o, two builds of the same programs
//   -> *.skel.h -> native/ -> prebuilds/<platform>-<arch>/aftertrace.node
// Does nothing when no source changed. Exit code 1 with one clear sentence when something is missing.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const bpf = join(root, 'bpf');
const native = join(root, 'native');
const target = join(root, 'prebuilds', `${process.platform}-${process.arch}`);
const APT =
  'apt-get install clang bpftool libbpf-dev libelf-dev libzstd-dev zlib1g-dev g++ make python3';

/** By process.arch: how the kernel's headers name it, and where Debian keeps those of the C library. */
const ARCHITECTURES = {
  x64: { kernel: 'x86', headers: '/usr/include/x86_64-linux-gnu' },
  arm64: { kernel: 'arm64', headers: '/usr/include/aarch64-linux-gnu' },
};

/** The two builds of the programs: see bpf/aftertrace.bpf.c. */
const OBJECTS = [
  { name: 'aftertrace', defines: [] },
  { name: 'aftertrace_syscall', defines: ['-DCAPTURE_SYSCALL'] },
];

class BuildError extends Error {}

function run(command, args, options = {}) {
  const result = spawnSync(command, args, { encoding: 'utf8', maxBuffer: 1 << 26, ...options });
  if (result.error)
    throw new BuildError(`${command} could not be started: ${result.error.message}`);
  if (result.status !== 0) {
    throw new BuildError(`${command} failed:\n${result.stdout ?? ''}${result.stderr ?? ''}`);
  }
  return result.stdout;
}

/** Tools of the system live outside an ordinary user's PATH on Debian. */
function candidates(name) {
  const directories = [...(process.env.PATH ?? '').split(':'), '/usr/sbin', '/usr/local/sbin'];
  return directories.map((directory) => join(directory, name)).filter(existsSync);
}

function findTool(name) {
  const found = candidates(name)[0];
  if (!found) throw new BuildError(`${name} is missing. On Debian: ${APT}`);
  return found;
}

/** On Ubuntu the one in PATH is a script that works for one kernel version only: look behind it. */
function findBpftool() {
  const tools = '/usr/lib/linux-tools';
  const versions = existsSync(tools) ? readdirSync(tools) : [];
  const all = [
    ...candidates('bpftool'),
    ...versions.map((version) => join(tools, version, 'bpftool')).filter(existsSync),
  ];
  const found = all.find((tool) => spawnSync(tool, ['version']).status === 0);
  if (!found) {
    throw new BuildError(
      `bpftool is missing. On Debian: ${APT} (on Ubuntu linux-tools-generic has bpftool)`,
    );
  }
  return found;
}

/** The oldest libbpf that has what native/recorder.cc calls. */
const LIBBPF_MAJOR = 1;

function checkLibbpf() {
  const header = ['/usr/include', '/usr/local/include']
    .map((directory) => join(directory, 'bpf/libbpf_version.h'))
    .find(existsSync);
  const text = header ? readFileSync(header, 'utf8') : '';
  const major = /LIBBPF_MAJOR_VERSION (\d+)/.exec(text)?.[1];
  if (Number(major) >= LIBBPF_MAJOR) return;
  throw new BuildError(
    `the headers of libbpf ${LIBBPF_MAJOR}.0 or newer are missing${major ? ` (found ${major})` : ''}. On Debian 12, Ubuntu 24.04 or newer: ${APT}`,
  );
}

function checkZstd() {
  const found = ['/usr/include', '/usr/local/include'].some((directory) =>
    existsSync(join(directory, 'zstd.h')),
  );
  if (!found) throw new BuildError(`the headers of libzstd are missing. On Debian: ${APT}`);
}

function sources(directory, pattern) {
  return readdirSync(directory, { recursive: true })
    .map(String)
    .filter((name) => pattern.test(name) && !/^(build|node_modules)\//.test(name))
    .sort()
    .map((name) => join(directory, name));
}

/** Names the inputs: sources, this script, and what they are built with. */
function inputHash() {
  const hash = createHash('sha256');
  const files = [
    ...sources(bpf, /\.[ch]$/),
    ...sources(native, /\.(cc|h|gyp)$/),
    fileURLToPath(import.meta.url),
  ];
  for (const file of files) hash.update(file).update('\0').update(readFileSync(file)).update('\0');
  hash.update(process.versions.modules);
  return hash.digest('hex');
}

function checkTools() {
  if (process.platform !== 'linux' || !(process.arch in ARCHITECTURES)) {
    throw new BuildError(
      `recording needs Linux on x86-64 or arm64 (here: ${process.platform} ${process.arch}); reconstruct and report work without the addon.`,
    );
  }
  checkLibbpf();
  checkZstd();
  findTool('g++');
  findTool('make');
  return { clang: findTool('clang'), bpftool: findBpftool() };
}

function buildObject({ clang, bpftool }, { name, defines }) {
  const out = join(bpf, 'build');
  mkdirSync(out, { recursive: true });
  const object = join(out, `${name}.bpf.o`);
  const { kernel, headers } = ARCHITECTURES[process.arch];
  run(clang, [
    ...['-g', '-O2', '-target', 'bpf', '-mcpu=v3', `-D__TARGET_ARCH_${kernel}`, ...defines],
    ...['-Wall', '-Wextra', '-Wno-unused-parameter', '-Werror', '-idirafter', headers],
    ...['-c', join(bpf, 'aftertrace.bpf.c'), '-o', object],
  ]);
  // Only type information is needed at load time; debug sections would double the addon.
  run(bpftool, ['gen', 'object', `${object}.linked`, object]);
  renameSync(`${object}.linked`, object);
  const skeleton = run(bpftool, ['gen', 'skeleton', object, 'name', `${name}_bpf`]);
  writeFileSync(join(out, `${name}.skel.h`), skeleton);
}

/** Where Debian's own Node keeps its headers: saves a download. Elsewhere node-gyp fetches them. */
function localHeaders() {
  const prefix = join(dirname(process.execPath), '..');
  const version = join(prefix, 'include/node/node_version.h');
  if (!existsSync(version)) return [];
  const major = /NODE_MAJOR_VERSION (\d+)/.exec(readFileSync(version, 'utf8'))?.[1];
  return major === process.versions.node.split('.')[0] ? [`--nodedir=${prefix}`] : [];
}

function buildAddon() {
  const gyp = createRequire(import.meta.url).resolve('node-gyp/bin/node-gyp.js');
  run(process.execPath, [gyp, 'rebuild', '--jobs=max', ...localHeaders()], { cwd: native });
  mkdirSync(target, { recursive: true });
  const file = join(target, 'aftertrace.node');
  // A new file under the old name: a process that has the old one mapped keeps it.
  copyFileSync(join(native, 'build/Release/aftertrace.node'), `${file}.new`);
  renameSync(`${file}.new`, file);
}

function main() {
  const stamp = join(target, 'inputs.sha256');
  const tools = checkTools();
  const hash = inputHash();
  const built = existsSync(join(target, 'aftertrace.node')) && existsSync(stamp);
  if (built && readFileSync(stamp, 'utf8') === hash && !process.argv.includes('--force')) return;
  for (const object of OBJECTS) buildObject(tools, object);
  buildAddon();
  writeFileSync(stamp, hash);
  console.log(`built prebuilds/${process.platform}-${process.arch}/aftertrace.node`);
}

try {
  main();
} catch (error) {
  if (!(error instanceof BuildError)) throw error;
  console.error(`build-native: ${error.message}`);
  process.exitCode = 1;
}
