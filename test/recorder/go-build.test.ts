// What Go programs say of how they were built, against the debug information of the toolchain here.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openElf } from '../../src/recorder/elf.js';
import { readGoBuild } from '../../src/recorder/go-build.js';
import { readGoTypes } from '../../src/recorder/go-types.js';

const hasGo = spawnSync('go', ['version']).status === 0;
if (!hasGo) console.warn('SKIPPED: Go programs: go is not installed');

let directory: string;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'aftertrace-go-'));
});
afterAll(() => rmSync(directory, { recursive: true }));

function build(name: string, flags: readonly string[]): string {
  const source = join(directory, 'main.go');
  writeFileSync(source, 'package main\nfunc main() { println("hello") }\n');
  const binary = join(directory, name);
  const { status, stderr } = spawnSync('go', ['build', ...flags, '-o', binary, source]);
  if (status !== 0) throw new Error(String(stderr));
  return binary;
}

describe.skipIf(!hasGo)('Go programs', () => {
  it('knows the version, stripped or not, and the same layout as the debug information', () => {
    const whole = build('whole', []);
    const stripped = build('stripped', ['-ldflags=-s -w']);
    const version = /go(\d+\.\d+[.\d]*)/.exec(String(spawnSync('go', ['version']).stdout))?.[1];
    const known = readGoBuild(whole);
    expect(known?.version).toBe(version);
    expect(readGoBuild(stripped)).toEqual(known);
    const elf = openElf(whole)!;
    expect({ tls: -8, ...readGoTypes(elf) }).toEqual(known?.layout);
    elf.close();
    const bare = openElf(stripped)!;
    expect(readGoTypes(bare)).toBeUndefined();
    bare.close();
  }, 120_000);

  it('takes other programs for what they are', () => {
    expect(readGoBuild(process.execPath)).toBeUndefined();
    expect(readGoBuild('/nowhere')).toBeUndefined();
    expect(readGoBuild(directory)).toBeUndefined();
  });
});

it('survives files that only begin like programs', () => {
  const path = join(directory, 'broken');
  const header = Buffer.from([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1, 0]);
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 0, maxLength: 4096 }), (bytes) => {
      writeFileSync(path, Buffer.concat([header, bytes]));
      const elf = openElf(path);
      elf?.read('.debug_info');
      elf?.close();
    }),
  );
});
