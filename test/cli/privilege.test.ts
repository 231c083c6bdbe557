import { execFileSync } from 'node:child_process';
import { beforeAll, describe, expect, test } from 'vitest';
import { useTemporaryDirectories } from '../store/temporary.js';
import { expectOneError, runCli } from './run-cli.js';
import { openToOthers, writeSegment } from './segments.js';

const temporaryDirectory = useTemporaryDirectories();
const AS_NOBODY = ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups'] as const;

/** Whether this user can become nobody, and nobody can run this checkout. */
function canBecomeNobody(): boolean {
  if (process.getuid?.() !== 0) return false;
  const [command, ...args] = AS_NOBODY;
  const script = ['-e', "fs.readFileSync('package.json')"];
  try {
    execFileSync(command, [...args, process.execPath, ...script], { stdio: 'pipe' });
    return true;
  } catch {
    return false;
  }
}

const possible = canBecomeNobody();
beforeAll(() => {
  if (!possible) console.warn('SKIPPED: commands without privileges: root and setpriv are needed.');
});

describe.runIf(possible)('without privileges', () => {
  test('record says what is missing and what to do', async () => {
    const out = temporaryDirectory();
    openToOthers(out);
    const result = await runCli(['record', '--out', out], AS_NOBODY);
    expectOneError(result, 1, 'it lacks CAP_BPF and CAP_PERFMON. Run as root, or give the process');
  });

  test('segments of another user are refused with whom to run as', async () => {
    const directory = temporaryDirectory();
    const segment = await writeSegment(directory);
    openToOthers(directory);
    const result = await runCli(['inspect', directory], AS_NOBODY);
    expectOneError(result, 1, `${segment}: cannot`);
    expect(result.stderr).toContain('permission denied. Segments are readable by their owner only');
  });

  test('doctor ends with 1, and tells for every failure what to do', async () => {
    const { code, stdout, stderr } = await runCli(['doctor', '--json'], AS_NOBODY);
    expect({ code, stderr }).toEqual({ code: 1, stderr: '' });
    const checks: { state: string; what: string; fix: string }[] = JSON.parse(stdout);
    const failed = checks.filter(({ state }) => state === 'fail');
    expect(failed.map(({ what }) => what)).toContain('capabilities');
    for (const { fix } of failed) expect(fix).toMatch(/^[A-Z].+\.$/);
  });
});
