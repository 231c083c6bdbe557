import type { LinkScore } from '../accuracy/score.js';
import { callsOf, GOALS, meets, resultsFor, share, totalOf } from './goals.js';
import type { Result } from './run.js';

function percent(part: number, whole: number, digits = 2): string {
  return whole === 0 ? '-' : `${((part / whole) * 100).toFixed(digits)} %`;
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  return [head, head.map(() => '---'), ...rows]
    .map((cells) => `| ${cells.join(' | ')} |`)
    .join('\n');
}

const linkCells = (links: LinkScore) =>
  (['right', 'wrong', 'unknown'] as const).map((kind) => percent(links[kind], callsOf(links)));

const nameOf = ({ scenario, load }: Result) => `${scenario.name} at ${load}`;

/** What was asked for, what was reached, over all recordings of a kind together and one by one. */
export function goalTable(results: readonly Result[]): string {
  const rows = GOALS.map((goal) => {
    const found = resultsFor(goal, results);
    const { links, traces } = totalOf(found);
    const each = found.filter((result) => meets(goal, totalOf([result])));
    const worst = [...found].sort(
      (a, b) =>
        share(a.judgement.own.traces.whole, a.judgement.own.traces.of) -
        share(b.judgement.own.traces.whole, b.judgement.own.traces.of),
    )[0];
    return [
      goal.what,
      `>= ${(goal.whole * 100).toFixed(1)} %`,
      percent(traces.whole, traces.of),
      `<= ${(goal.wrong * 100).toFixed(2)} %`,
      percent(links.wrong, callsOf(links)),
      found.length === 0 ? '-' : meets(goal, totalOf(found)) ? 'met' : '**missed**',
      `${each.length} of ${found.length}`,
      worst === undefined
        ? '-'
        : `${nameOf(worst)}: ${percent(worst.judgement.own.traces.whole, worst.judgement.own.traces.of, 1)}`,
    ];
  });
  const head = [
    'workload',
    'whole traces: goal',
    'reached',
    'wrong links: goal',
    'reached',
    'together',
    'recordings that meet it alone',
    'least whole',
  ];
  return table(head, rows);
}

export function backgroundLine(results: readonly Result[]): string {
  const calls = results.reduce((sum, { judgement }) => sum + judgement.own.background.calls, 0);
  const attached = results.reduce(
    (sum, { judgement }) => sum + judgement.own.background.attached,
    0,
  );
  const verdict = share(calls - attached, calls) >= 0.99 ? 'met' : '**missed**';
  return `Calls of timers while requests were open: ${calls}; left as roots: ${percent(calls - attached, calls)} (goal >= 99 %: ${verdict}).`;
}

/** Three numbers per recording, beside the best baseline. */
export function scenarioTable(results: readonly Result[]): string {
  const rows = results.map((result) => {
    const { own, baselines } = result.judgement;
    const best = [...baselines].sort((a, b) => b.score.total.right - a.score.total.right)[0];
    return [
      result.scenario.name,
      result.load,
      String(callsOf(own.total)),
      ...linkCells(own.total),
      percent(own.traces.whole, own.traces.of),
      percent(own.calibrationError, 1),
      best === undefined
        ? '-'
        : `${best.name}: ${percent(best.score.total.right, callsOf(best.score.total), 1)}`,
    ];
  });
  const head = [
    'scenario',
    'users',
    'calls',
    'right',
    'wrong',
    'unknown',
    'whole traces',
    'calibration error',
    'best baseline, right',
  ];
  return table(head, rows);
}

/** Right and wrong links of every rule, over the recordings of one load together. */
export function baselineTable(results: readonly Result[]): string {
  const loads = [...new Set(results.map(({ load }) => load))];
  const names = results[0]?.judgement.baselines.map(({ name }) => name) ?? [];
  const cell = (load: string, pick: (result: Result) => LinkScore) => {
    const sum = { right: 0, wrong: 0, calls: 0 };
    for (const result of results.filter((each) => each.load === load)) {
      const links = pick(result);
      sum.right += links.right;
      sum.wrong += links.wrong;
      sum.calls += callsOf(links);
    }
    return `${percent(sum.right, sum.calls, 1)} / ${percent(sum.wrong, sum.calls)}`;
  };
  const rows = [
    ['aftertrace', ...loads.map((load) => cell(load, ({ judgement }) => judgement.own.total))],
    ...names.map((name, i) => [
      name,
      ...loads.map((load) => cell(load, ({ judgement }) => judgement.baselines[i]!.score.total)),
    ]),
  ];
  return table(['right / wrong at', ...loads], rows);
}

/**
 * Where a baseline finds more right links than the reconstruction with more than one user.
 * Level is only what is all right in both.
 */
export function unbeaten(results: readonly Result[]): string[] {
  return results
    .filter(({ load }) => load !== '1')
    .flatMap((result) => {
      const { own, baselines } = result.judgement;
      const calls = callsOf(own.total);
      return baselines
        .filter(({ score: { total } }) => total.right >= own.total.right && own.total.right < calls)
        .map(
          ({ name, score: { total } }) =>
            `${nameOf(result)}: ${name} finds ${percent(total.right, calls)} right and ${percent(total.wrong, calls)} wrong, aftertrace ${percent(own.total.right, calls)} and ${percent(own.total.wrong, calls)}`,
        );
    });
}

/** Claimed against right, over all links of all recordings. */
export function calibrationText(results: readonly Result[]): string {
  const bins = new Map<number, { links: number; claimed: number; right: number }>();
  const certain = { links: 0, wrong: 0 };
  for (const { judgement } of results) {
    for (const { from, links, claimed, right } of judgement.own.calibration) {
      const known = bins.get(from) ?? { links: 0, claimed: 0, right: 0 };
      known.links += links;
      known.claimed += links * claimed;
      known.right += links * right;
      bins.set(from, known);
    }
    certain.links += judgement.own.certain.links;
    certain.wrong += judgement.own.certain.wrong;
  }
  const rows = [...bins].sort(([a], [b]) => a - b);
  const links = rows.reduce((sum, [, bin]) => sum + bin.links, 0);
  const off = rows.reduce((sum, [, { claimed, right }]) => sum + Math.abs(claimed - right), 0);
  const error = links === 0 ? 0 : off / links;
  return [
    table(
      ['confidence from', 'links', 'claimed', 'right'],
      rows.map(([from, bin]) => [
        String(from),
        String(bin.links),
        percent(bin.claimed, bin.links),
        percent(bin.right, bin.links),
      ]),
    ),
    '',
    `Expected calibration error: ${error.toFixed(4)} (goal <= 0.02: ${error <= 0.02 ? 'met' : '**missed**'}).`,
    `Links called certain: ${certain.links}, right ${percent(certain.links - certain.wrong, certain.links, 3)} (goal >= 99.95 %: ${share(certain.links - certain.wrong, certain.links) >= 0.9995 ? 'met' : '**missed**'}).`,
  ].join('\n');
}

/** Exchanges, hops and events over all recordings. */
export function coverageLine(results: readonly Result[]): string {
  const sum = (pick: (result: Result) => number) =>
    results.reduce((total, result) => total + pick(result), 0);
  const found = sum(({ judgement }) => judgement.own.foundExchanges);
  const expected = sum(({ judgement }) => judgement.own.expectedExchanges);
  const joined = sum(({ judgement }) => judgement.own.joinedHops);
  const hops = sum(({ judgement }) => judgement.own.expectedHops);
  const wrong = sum(({ judgement }) => judgement.own.wrongHops);
  const lost = sum(({ judgement }) => judgement.lost);
  return `Exchanges found: ${found} of ${expected} (${percent(found, expected, 3)}); hops joined: ${joined} of ${hops}, wrong ${wrong}; events lost by the recorder: ${lost}.`;
}
