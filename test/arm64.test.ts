// Everything native is compiled for arm64: the kernel programs by clang, the addon by the cross compiler.
import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { callName } from '../src/recorder/call-names.js';
import { hintsOn, tlsLack } from '../src/recorder/platform.js';

const run = promisify(execFile);
const ROOT = join(import.meta.dirname, '..');
const COMPILER = 'aarch64-linux-gnu-g++';
const NODE_HEADERS = join(dirname(process.execPath), '../include/node');

const isInstalled = (process.env.PATH ?? '')
  .split(':')
  .some((directory) => existsSync(join(directory, COMPILER)));
const hasHeaders = existsSync(join(NODE_HEADERS, 'node_api.h'));
if (!isInstalled || !hasHeaders)
  console.warn(`SKIPPED: compiling for arm64: needs ${COMPILER} and the headers of Node`);

describe.runIf(isInstalled && hasHeaders)('arm64', () => {
  let out = '';
  beforeAll(() => {
    out = mkdtempSync(join(tmpdir(), 'aftertrace-arm64-'));
  });
  afterAll(() => rmSync(out, { recursive: true, force: true }));

  it.each([
    ['aftertrace', []],
    ['aftertrace_syscall', ['-DCAPTURE_SYSCALL']],
  ] as const)('compiles the kernel programs (%s)', async (name, defines) => {
    await run('clang', [
      ...['-g', '-O2', '-target', 'bpf', '-mcpu=v3', '-D__TARGET_ARCH_arm64', ...defines],
      ...['-Wall', '-Wextra', '-Wno-unused-parameter', '-Werror'],
      ...['-idirafter', '/usr/aarch64-linux-gnu/include'],
      ...['-c', join(ROOT, 'bpf/aftertrace.bpf.c'), '-o', join(out, `${name}.bpf.o`)],
    ]);
    const skeleton = ['gen', 'skeleton', join(out, `${name}.bpf.o`), 'name', `${name}_bpf`];
    const { stdout } = await run('bpftool', skeleton, { maxBuffer: 1 << 26 });
    expect(stdout).toContain(`struct ${name}_bpf`);
    writeFileSync(join(out, `${name}.skel.h`), stdout);
  });

  it('compiles every source of the addon', async () => {
    const native = join(ROOT, 'native');
    const sources = readdirSync(native, { recursive: true })
      .map(String)
      .filter((name) => name.endsWith('.cc') && !name.startsWith('build/'));
    expect(sources.length).toBeGreaterThan(40);
    const compile = (source: string) =>
      run(COMPILER, [
        ...['-std=c++17', '-fsyntax-only', '-Wall', '-Werror'],
        ...['-DNAPI_VERSION=8', '-DNAPI_CPP_EXCEPTIONS', '-DNODE_GYP_MODULE_NAME=aftertrace'],
        ...['-isystem', NODE_HEADERS, '-isystem', join(ROOT, 'node_modules/node-addon-api')],
        // Headers that are the same for every architecture: libbpf, libelf, zstd.
        ...['-idirafter', '/usr/include', '-I', join(ROOT, 'bpf'), '-I', out],
        join(native, source),
      ]);
    // Two at a time.
    const waiting = [...sources];
    const worker = async () => {
      for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) await compile(next);
    };
    await Promise.all([worker(), worker()]);
  }, 300_000);

  it('says what is missing there', () => {
    expect(tlsLack('arm64')).toContain('x86-64 only');
    expect(hintsOn('arm64', ['lease', 'go', 'threads'])).toEqual(['lease', 'threads']);
    expect([callName(206, 'arm64'), callName(44, 'x64'), callName(511, 'arm64')]).toEqual([
      ...['sendto', 'sendto', 'no system call'],
    ]);
  });
});
