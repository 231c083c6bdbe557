// Where probes are set: known libraries of this host, and files that only look like some.
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { nativeAvailable, tlsProbesOf } from '../../src/recorder/native-source.js';

const LIBSSL = '/usr/lib/x86_64-linux-gnu/libssl.so.3';
/** Cookies, as bpf/lib/tls-state.h has them: direction, and how the result is told. */
const cookies = (path: string) => tlsProbesOf(path, true).map(({ cookie }) => cookie);

describe.runIf(nativeAvailable().ok)('probes of TLS libraries', () => {
  const directory = mkdtempSync(join(tmpdir(), 'aftertrace-elf-'));
  afterAll(() => rmSync(directory, { recursive: true, force: true }));
  const file = join(directory, 'file');
  const probesOf = (bytes: Uint8Array) => {
    writeFileSync(file, bytes);
    return tlsProbesOf(file, true);
  };

  it.runIf(existsSync(LIBSSL))('are at instructions that the kernel emulates, in libssl 3', () => {
    const probes = tlsProbesOf(LIBSSL, false);
    expect(probes.every(({ cheap }) => cheap)).toBe(true);
    // SSL_read and SSL_read_ex share one place, and so do the writes.
    expect(cookies(LIBSSL)).toEqual([2, 2, 3, 3, 0, 0]);
    expect(probes.map(({ program }) => program)).toEqual([
      ...['call', 'result', 'call', 'result', 'forget', 'forget'],
    ]);
  });

  it('are found in the Node that runs this, if it exports its library', () => {
    const probes = tlsProbesOf(process.execPath, true);
    expect(probes.filter(({ program }) => program === 'call').length).toBeGreaterThanOrEqual(2);
    expect(probes.filter(({ program }) => program === 'result').length).toBe(
      probes.filter(({ program }) => program === 'call').length,
    );
  });

  it('are not set into anything else', () => {
    expect(tlsProbesOf('/bin/ls', true)).toEqual([]);
    expect(tlsProbesOf('/etc/passwd', true)).toEqual([]);
    expect(tlsProbesOf('/dev/null', true)).toEqual([]);
    expect(tlsProbesOf(directory, true)).toEqual([]);
    expect(tlsProbesOf(join(directory, 'missing'), true)).toEqual([]);
    expect(probesOf(new Uint8Array(0))).toEqual([]);
    expect(probesOf(Buffer.from('\x7fELF\x02\x01'))).toEqual([]);
  });

  it.runIf(existsSync(LIBSSL))('never run away on damaged files, and stay inside them', () => {
    const whole = readFileSync(LIBSSL);
    const header = fc.integer({ min: 0, max: 63 });
    const anywhere = fc.integer({ min: 0, max: whole.length - 1 });
    // Section headers stand at the end: where the tables are said to be.
    const sections = fc.integer({ min: whole.length - 2000, max: whole.length - 1 });
    const damage = fc.tuple(fc.oneof(header, anywhere, sections), fc.integer({ min: 0, max: 255 }));
    fc.assert(
      fc.property(
        fc.array(damage, { minLength: 1, maxLength: 12 }),
        fc.option(anywhere),
        (damages, cut) => {
          const bytes = Buffer.from(whole);
          for (const [at, value] of damages) bytes[at] = value;
          const left = cut === null ? bytes : bytes.subarray(0, cut);
          const started = performance.now();
          for (const { offset } of probesOf(left)) expect(offset).toBeLessThan(2 ** 53);
          expect(performance.now() - started).toBeLessThan(5000);
        },
      ),
      { numRuns: 150 },
    );
  });
});
