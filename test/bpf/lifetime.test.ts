// However a recording process or thread ends, its programs leave the kernel.
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { afterEach, expect, it } from 'vitest';
import { openNativeSource } from '../../src/recorder/native-source.js';
import {
  ALL,
  describeLive,
  hasTool,
  runProgram,
  settle,
  startProgram,
  startRecording,
  stopPrograms,
} from './live.js';

const ADDON = fileURLToPath(
  new URL(`../../prebuilds/${process.platform}-${process.arch}/aftertrace.node`, import.meta.url),
);

const OPTIONS = JSON.stringify({ ...ALL, ringBytes: 1 << 20 });

/** A program that records, then does what `ending` says. */
const RECORD = (ending: string) => `
const addon = require(${JSON.stringify(ADDON)});
const source = new addon.Source(${OPTIONS});
source.start(() => {}, () => {});
console.log('recording');
${ending}`;

/** Ids of the kernel programs a process holds. */
function programsOf(pid: number): number[] {
  const directory = `/proc/${pid}/fdinfo`;
  return readdirSync(directory).flatMap((descriptor) => {
    const found = /^prog_id:\s+(\d+)$/m.exec(readFileSync(`${directory}/${descriptor}`, 'utf8'));
    return found ? [Number(found[1])] : [];
  });
}

function isLoaded(id: number): boolean {
  return spawnSync('bpftool', ['prog', 'show', 'id', String(id)]).status === 0;
}

/** Programs are freed a grace period after their last user is gone. */
async function expectUnloaded(ids: readonly number[]): Promise<void> {
  for (let tries = 0; tries < 50 && ids.some(isLoaded); tries++) await settle();
  expect(ids.filter(isLoaded)).toEqual([]);
}

describeLive('lifetime', () => {
  afterEach(stopPrograms);

  it.runIf(hasTool('bpftool')).each(['SIGKILL', 'SIGTERM', 'SIGSEGV'] as const)(
    'leaves nothing behind when the process dies of %s',
    async (signal) => {
      const child = await startProgram('node', ['-e', RECORD('setInterval(() => {}, 1000)')]);
      const programs = programsOf(child.pid!);
      expect(programs.length).toBeGreaterThan(6);
      expect(isLoaded(programs[0]!)).toBe(true);
      child.kill(signal);
      await once(child, 'exit');
      await expectUnloaded(programs);
    },
  );

  it.each([
    ['process.exit()', 'setTimeout(() => process.exit(0), 50)'],
    ['stop()', 'setTimeout(() => source.stop(), 50)'],
    ['close()', 'setTimeout(() => source.close(), 50)'],
    ['two stops at once', 'Promise.all([source.stop(), source.stop()])'],
  ])('ends cleanly by %s', async (_, ending) => {
    expect(await runProgram('node', ['-e', RECORD(ending)])).toBe('recording\n');
  });

  it.runIf(hasTool('bpftool'))('detaches when the worker that records is terminated', async () => {
    const worker = RECORD('setInterval(() => {}, 1000)').replace('console.log', 'report');
    const main = `
const { Worker } = require('node:worker_threads');
const report = "const report = (text) => require('node:worker_threads').parentPort.postMessage(text);";
const worker = new Worker(report + ${JSON.stringify(worker)}, { eval: true });
worker.once('message', (text) => console.log(text));
process.stdin.once('data', () => worker.terminate().then(() => console.log('terminated')));
setInterval(() => {}, 1000);`;
    const child = await startProgram('node', ['-e', main]);
    const programs = programsOf(child.pid!);
    expect(programs.length).toBeGreaterThan(6);
    child.stdin!.write('\n');
    await expectUnloaded(programs);
    expect(child.exitCode).toBeNull();
  });

  it('records twice in one process, one after the other and at once', async () => {
    const [first, second] = [startRecording({}), startRecording({})];
    await runProgram('true', []);
    await settle();
    const counts = [(await first.finish()).length, (await second.finish()).length];
    const third = startRecording({});
    await runProgram('true', []);
    await settle();
    for (const count of [...counts, (await third.finish()).length])
      expect(count).toBeGreaterThan(2);
  });

  it('refuses options out of range by name', () => {
    const open = (options: object) => () => openNativeSource({ ...ALL, ...options });
    expect(open({ snaplen: 4097 })).toThrow(/4097 is not a whole number from 0 to 4096/);
    expect(open({ ports: [65536] })).toThrow(/65536/);
    expect(open({ names: [''] })).toThrow(/name/);
    expect(open({ ringBytes: 1 })).toThrow(/65536/);
  });

  it.runIf(process.getuid?.() === 0 && hasTool('setpriv'))(
    'says which capability is missing',
    () => {
      const addon = createRequire(import.meta.url).resolve(ADDON);
      const script = `try { new (require(${JSON.stringify(addon)}).Source)(${OPTIONS}) }
        catch (error) { console.log(error.code, error.message, error.remedy) }`;
      const tell = (held: string) => {
        const caps = ['--inh-caps', '--ambient-caps', '--bounding-set'].map(
          (set) => `${set}=${held}`,
        );
        const args = [
          '--reuid=65534',
          '--regid=65534',
          '--clear-groups',
          ...caps,
          'node',
          '-e',
          script,
        ];
        return spawnSync('setpriv', args, { encoding: 'utf8' }).stdout;
      };
      expect(tell('-all')).toMatch(/^PRIVILEGE .*CAP_BPF and CAP_PERFMON/);
      expect(tell('-all,+bpf')).toMatch(/^PRIVILEGE .*lacks CAP_PERFMON/);
      expect(tell('-all,+bpf,+perfmon')).toBe('');
    },
  );
});
