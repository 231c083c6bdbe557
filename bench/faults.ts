/**
 * What can go wrong on a host, done to a real recorder while a real service works, and whether every
 * file stays readable, every gap is in the ledger and the service is unharmed.
 *
 *   npm run bench:faults -- [--only kills,disk,...] [--kills 100] [--seconds 10] [--connections 10000]
 *       [--seed 1] [--set-clock]
 *
 * Needs root, eBPF, mount and clang. Exit code 1 if anything does not hold. --set-clock sets the wall clock
 * of this host 20 s ahead for 4 s: not where others need it.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { clockStep } from './faults/clock.js';
import { directoryRemoved, diskFull, killedOnFullDisk } from './faults/disk.js';
import { kills } from './faults/kills.js';
import { manyConnections, ringOverflow, shortProcesses } from './faults/overload.js';
import { Verdicts } from './faults/verdicts.js';

const { values } = parseArgs({
  options: {
    only: { type: 'string' },
    kills: { type: 'string', default: '100' },
    seconds: { type: 'string', default: '10' },
    connections: { type: 'string', default: '10000' },
    seed: { type: 'string', default: '1' },
    'set-clock': { type: 'boolean', default: false },
  },
});
const directory = mkdtempSync(join(tmpdir(), 'aftertrace-faults-'));
const verdicts = new Verdicts();

const FAULTS: Readonly<Record<string, () => Promise<void>>> = {
  kills: () =>
    kills(verdicts, directory, { kills: Number(values.kills), seed: Number(values.seed) }),
  disk: async () => {
    await diskFull(verdicts, directory);
    await killedOnFullDisk(verdicts, directory);
  },
  directory: () => directoryRemoved(verdicts, directory),
  ring: () => ringOverflow(verdicts, directory),
  processes: () =>
    shortProcesses(verdicts, directory, { rate: 1000, seconds: Number(values.seconds) }),
  connections: () => manyConnections(verdicts, directory, Number(values.connections)),
  clock: async () => {
    if (values['set-clock']) await clockStep(verdicts, directory);
    else console.log('skip clock step: it sets the wall clock of this host; give --set-clock');
  },
};

const chosen = values.only?.split(',') ?? Object.keys(FAULTS);
const unknown = chosen.filter((name) => !Object.hasOwn(FAULTS, name));
if (unknown.length > 0)
  throw new Error(`--only ${unknown.join(',')}: known are ${Object.keys(FAULTS).join(', ')}`);
try {
  for (const name of chosen) await FAULTS[name]!();
} finally {
  rmSync(directory, { recursive: true, force: true });
}
process.exitCode = verdicts.failed ? 1 : 0;
