import type { LinkScore, Score } from './score.js';

function percent(part: number, whole: number): string {
  return whole === 0 ? '-' : `${((part / whole) * 100).toFixed(2)} %`;
}

function row(name: string, { right, wrong, unknown }: LinkScore): string {
  const all = right + wrong + unknown;
  const cells = [
    name,
    String(all),
    percent(right, all),
    percent(wrong, all),
    percent(unknown, all),
  ];
  return `| ${cells.join(' | ')} |`;
}

/** The score as Markdown. */
export function formatScore(score: Score): string {
  const { traces, background, certain } = score;
  return [
    `exchanges found ${score.foundExchanges} of ${score.expectedExchanges} (${percent(score.foundExchanges, score.expectedExchanges)})`,
    `hops joined ${score.joinedHops} of ${score.expectedHops} (${percent(score.joinedHops, score.expectedHops)}), wrong ${score.wrongHops}`,
    '',
    '| service | calls | right | wrong | unknown |',
    '|---|---|---|---|---|',
    ...[...score.services]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, links]) => row(name, links)),
    row('all', score.total),
    '',
    `whole traces right ${traces.whole} of ${traces.of} (${percent(traces.whole, traces.of)})`,
    `background calls given a parent ${background.attached} of ${background.calls}`,
    `links called certain: ${certain.links}, wrong ${certain.wrong}`,
    '',
    '| confidence from | links | claimed | right |',
    '|---|---|---|---|',
    ...score.calibration.map(
      ({ from, links, claimed, right }) =>
        `| ${from} | ${links} | ${(claimed * 100).toFixed(2)} % | ${(right * 100).toFixed(2)} % |`,
    ),
    '',
    `expected calibration error ${(score.calibrationError * 100).toFixed(2)} %`,
  ].join('\n');
}

/** One line per rule that was compared on the same spans. */
export function formatComparison(
  rows: readonly { readonly name: string; readonly score: Score }[],
): string {
  return [
    '| rule, on the same recording | right | wrong | unknown | whole traces | background attached |',
    '|---|---|---|---|---|---|',
    ...rows.map(({ name, score: { total, traces, background } }) => {
      const all = total.right + total.wrong + total.unknown;
      const cells = [
        name,
        percent(total.right, all),
        percent(total.wrong, all),
        percent(total.unknown, all),
        percent(traces.whole, traces.of),
        `${background.attached} of ${background.calls}`,
      ];
      return `| ${cells.join(' | ')} |`;
    }),
  ].join('\n');
}
