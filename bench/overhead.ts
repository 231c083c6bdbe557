/**
 * What recording does to services: load driver -> nginx -> Node -> threaded Python and a Java
 * pool, run in turn with nothing, with aftertrace and with what else one could run. Latency at
 * the driver, CPU time of all services and the recorder; each as the ratio of a run to the run
 * with nothing of the same round, with a 95 % interval.
 *
 *   npm run bench:overhead -- [--pairs 40] [--others 12] [--seconds 6] [--rate 150]
 *                             [--closed 4] [--seed 1] [--no-agent]
 *
 * --pairs rounds of nothing and aftertrace; in the first --others of them everything else runs
 * too. --closed: rounds under a closed loop of 16 connections, for the throughput. Everything
 * runs in a CPU cgroup of its own that outweighs the rest of the host. Needs root and eBPF. For
 * the exact cost by accounting see bench/recorder.ts.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { cpus, release, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { startBed } from '../fixtures/bed.mjs';
import { type Arm, chooseArms, installAgent } from './overhead/arms.js';
import { CpuGroup } from './overhead/cpu-group.js';
import { printClosed, printOpen } from './overhead/print.js';
import { Rounds, type Run } from './overhead/rounds.js';

const { values } = parseArgs({
  options: {
    pairs: { type: 'string', default: '40' },
    others: { type: 'string', default: '12' },
    seconds: { type: 'string', default: '6' },
    rate: { type: 'string', default: '150' },
    closed: { type: 'string', default: '4' },
    seed: { type: 'string', default: '1' },
    'no-agent': { type: 'boolean', default: false },
  },
});
const load = { seconds: Number(values.seconds), rate: Number(values.rate) };
const counts = {
  pairs: Number(values.pairs),
  others: Number(values.others),
  closed: Number(values.closed),
};
const seed = Number(values.seed);

const directory = mkdtempSync(join(tmpdir(), 'aftertrace-overhead-'));
const groups = {
  services: new CpuGroup('services'),
  recorder: new CpuGroup('recorder'),
  driver: new CpuGroup('driver'),
};
/** Takes what the agent exports, and throws it away; its cost is in no figure. */
const collector = createServer((request, response) => {
  request.resume();
  request.on('end', () => response.end());
}).listen(0, '127.0.0.1');
await new Promise((resolve) => collector.once('listening', resolve));
const collectorAt = `http://127.0.0.1:${(collector.address() as { port: number }).port}`;

const agent = values['no-agent']
  ? 'left out'
  : installAgent(join(tmpdir(), 'aftertrace-bench-agent'));
const { arms, absent } = chooseArms(typeof agent !== 'string');
if (typeof agent === 'string') absent.push(['OpenTelemetry in Node', agent]);
const fronts = {
  plain: {},
  ...(typeof agent === 'string'
    ? {}
    : {
        agent: { ...agent, env: { ...agent.env, OTEL_EXPORTER_OTLP_ENDPOINT: collectorAt } },
        twin: {},
      }),
};
const bed = await groups.services.run(() => startBed({ directory, fronts }));
const rounds = new Rounds({ bed, groups, directory, load });
const open = new Map<string, Run[]>(arms.map(({ name }) => [name, []]));
const closed = new Map<string, Run[]>(arms.map(({ name }) => [name, []]));

/** Turn about, so that no arm always comes second. */
const inTurn = (list: readonly Arm[], round: number) =>
  round % 2 === 0 ? list : [...list].reverse();

try {
  for (const which of ['plain', 'agent', 'twin'] as const) {
    if (bed.ports[which] !== undefined) await rounds.warmUp(which, 8);
  }
  for (let round = 0; round < counts.pairs; round++) {
    const list = round < counts.others ? arms : arms.slice(0, 2);
    for (const arm of inTurn(list, round)) {
      open.get(arm.name)!.push(await rounds.run(arm, seed + round));
      await sleep(200);
    }
    console.error(`round ${round + 1} of ${counts.pairs}`);
  }
  for (let round = 0; round < counts.closed; round++) {
    for (const arm of inTurn(arms, round)) {
      closed.get(arm.name)!.push(await rounds.run(arm, seed + round, 0));
    }
    console.error(`closed loop, round ${round + 1} of ${counts.closed}`);
  }
} finally {
  await bed.stop();
  collector.close();
  await sleep(300);
  for (const group of Object.values(groups)) group.remove();
  rmSync(directory, { recursive: true, force: true });
}

const commit = execFileSync('git', ['describe', '--always', '--dirty'], {
  encoding: 'utf8',
}).trim();
console.log(
  `${new Date().toISOString().slice(0, 10)}, ${cpus()[0]?.model ?? 'unknown'} x ${cpus().length}, Linux ${release()}, Node ${process.version}, commit ${commit}\n`,
);
console.log(
  `${load.rate} requests a second, runs of ${load.seconds} s, ${counts.pairs} pairs of nothing and aftertrace, ${counts.others} of the others\n`,
);
printOpen(arms, open, seed);
if (counts.closed > 0) {
  console.log(`\nclosed loop, 16 connections, ${counts.closed} rounds\n`);
  printClosed(arms, closed, seed);
}
for (const [name, why] of absent) console.log(`\n${name}: not measured: ${why}`);
