import { execFileSync } from 'node:child_process';
import { cpus, release } from 'node:os';
import type { Result } from './run.js';
import {
  backgroundLine,
  baselineTable,
  calibrationText,
  coverageLine,
  goalTable,
  percent,
  scenarioTable,
  unbeaten,
} from './tables.js';

/** Day, machine, kernel, Node and commit of these results. */
export function provenance(): string {
  let commit = 'unknown';
  try {
    commit = execFileSync('git', ['describe', '--always', '--dirty'], { encoding: 'utf8' }).trim();
  } catch {
    // Not a checkout: the results say so.
  }
  const machine = `${cpus()[0]?.model ?? 'unknown'} x ${cpus().length}`;
  return `${new Date().toISOString().slice(0, 10)}, commit ${commit}, ${machine}, Linux ${release()}, Node ${process.version}`;
}

/** Everything that the results say, as Markdown below a heading of its own. */
export function summarize(results: readonly Result[]): string {
  const rivals = unbeaten(results);
  return [
    '## Goals',
    goalTable(results),
    '',
    backgroundLine(results),
    coverageLine(results),
    '',
    '## Calibration, over all recordings together',
    calibrationText(results),
    '',
    '## Beside the baselines, on the same recordings',
    baselineTable(results),
    '',
    rivals.length === 0
      ? 'Every baseline is beaten in every scenario with more than one user, or both are right throughout.'
      : `Not beaten with more than one user:\n${rivals.map((line) => `- ${line}`).join('\n')}`,
    '',
    '## Every recording',
    scenarioTable(results),
  ].join('\n');
}

/** docs/accuracy.md. @param scale share of the usual number of requests that were made */
export function documentOf(results: readonly Result[], scale: number): string {
  const scenarios = [...new Set(results.map(({ scenario }) => scenario))];
  return `# Accuracy

Made by \`npm run bench:accuracy\`; do not edit. ${provenance()}${scale === 1 ? '' : `, ${percent(scale, 1, 0)} of the usual number of requests`}.

Real programs on loopback (\`fixtures/programs/plan/\`) are driven by users in a closed loop: each sends its next
request when its last is answered, so that at 32 and above the two processors are busy throughout; saturation is 256
users. They are recorded live with the defaults of \`aftertrace record\`, reconstructed with the defaults of
\`aftertrace reconstruct\`, and scored against the truth that the programs log: random keys in the query, which only
those logs can link; no header correlates anything but where a scenario says so. A call is *right* if its parent is the request that caused it,
*unknown* if it was left without one, *wrong* otherwise; a user's trace is *whole* if none of its exchanges is missing,
every hop is joined and every call in it is right. The scenarios here are not those that the engine is tuned on
(\`npm run lab\`): they have other routes, other numbers of callees, other delays and other seeds.

${summarize(results)}

## Scenarios
${scenarios.map(({ name, what }) => `- **${name}**: ${what}.`).join('\n')}

## Baselines
Each sees the same spans, and answers for each call when it is sent:
- *same thread (vPath)*: the open request that the calling thread read last;
- *nearest preceding*: the open request that began last;
- *first come, first served*: the oldest open request that has not called this place yet;
- *single token (DeepFlow)*: what a thread reads leaves a token that the next write takes away; a reply renews it;
- *exponential delays (WAP5)*: the open request that makes the delay most probable, with a mean per route and callee.
`;
}
