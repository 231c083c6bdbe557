import { describe, expect, it } from 'vitest';
import { Role } from '../../../src/model/exchange.js';
import { findCandidates } from '../../../src/reconstruct/causality/candidates.js';
import { VerdictCode } from '../../../src/reconstruct/causality/decide.js';
import { inferCauses } from '../../../src/reconstruct/causality/infer.js';
import { callKinds } from '../../../src/reconstruct/causality/kinds.js';
import { NO_HINTS } from '../../../src/reconstruct/causality/process-hints.js';
import { indexProcess } from '../../../src/reconstruct/causality/process-index.js';
import { matchTokens, namedBy } from '../../../src/reconstruct/causality/tokens/tokens.js';
import { useTemporaryDirectories } from '../../store/temporary.js';
import { eventLoop, type Row, seeded, tableOf } from './simulate.js';
import { causesOf } from './task-causes.js';

const temporaryDirectory = useTemporaryDirectories();

/** Timers of 1 to 6 ms before the first calls, and a thread of its own for everything: timing alone is left. */
const ROWS = eventLoop({
  requests: 200,
  every: 0.6e6,
  deferred: (random) => (1 + 5 * random()) * 1e6,
  seed: 51,
}).map((row, i) => ({ ...row, requestTid: 100 + i, responseTid: 100_000 + i }));

function infer(rows: readonly Row[], isTokenless = false) {
  const { exchanges, rows: all } = tableOf(rows);
  return inferCauses(exchanges, all, undefined, NO_HINTS, { isTokenless });
}

function score(rows: readonly Row[], isTokenless = false) {
  const { index, decisions } = infer(rows, isTokenless);
  const total = { calls: index.clients.length, right: 0, wrong: 0, certainWrong: 0 };
  for (let client = 0; client < total.calls; client++) {
    const verdict = decisions.verdict[client];
    if (verdict !== VerdictCode.certain && verdict !== VerdictCode.probable) continue;
    const isRight = index.servers[decisions.best(client)] === rows[index.clients[client]!]!.truth;
    if (isRight) total.right++;
    else total.wrong++;
    if (!isRight && verdict === VerdictCode.certain) total.certainWrong++;
  }
  return total;
}

/** Calls whose tokens name a request, and of those the ones that are sure of a wrong one. */
function named(rows: readonly Row[]) {
  const { exchanges, rows: all } = tableOf(rows);
  const index = indexProcess(exchanges, all);
  const tokens = matchTokens(index, findCandidates(index), callKinds(index), () => -1);
  const total = { calls: index.clients.length, named: 0, surelyWrong: 0 };
  for (let client = 0; client < total.calls; client++) {
    if (tokens.offsets[client + 1]! > tokens.offsets[client]!) total.named++;
    const { server, trust } = namedBy(tokens, client);
    const isRight = index.servers[server] === rows[index.clients[client]!]!.truth;
    if (trust >= 0.85 && !isRight) total.surelyWrong++;
  }
  return total;
}

const isCall = (row: Row) => row.role === Role.client;
/** Gives every request, and its calls with it, a value of its own. */
function withValues(nextValue: () => string, put: (row: Row, value: string) => Row): Row[] {
  const values = new Map<number, string>();
  return ROWS.map((row) => {
    const value = values.get(row.truth) ?? nextValue();
    values.set(row.truth, value);
    return put(row, value);
  });
}
const inPath = (row: Row, value: string) => ({
  ...row,
  target: `/${row.target.split('/')[1]}/${value}`,
});

describe('shared tokens', () => {
  const without = score(ROWS, true);

  it('are needed here', () => {
    expect(without.right / without.calls).toBeLessThan(0.95);
  });

  it('tell the request by an id that its path has too', () => {
    const random = seeded(1);
    const rows = withValues(() => String(Math.floor(random() * 100_000)), inPath);
    const { calls, right, wrong, certainWrong } = score(rows);
    expect(right / calls).toBeGreaterThan(0.97);
    expect(wrong / calls).toBeLessThan(0.005);
    expect(certainWrong).toBe(0);
  });

  it('tell the request by the mark of a secret, though sixty users come again and again', () => {
    const random = seeded(2);
    const user = () => `cookie=*user${String(Math.floor(random() * 60)).padStart(4, '0')}`;
    const { calls, right, wrong } = score(withValues(user, (row, tokens) => ({ ...row, tokens })));
    expect(right / calls).toBeGreaterThan(0.97);
    expect(wrong / calls).toBeLessThan(0.005);
  });

  it('say nothing where every request has the same', () => {
    const same = ROWS.map((row) => ({ ...row, tokens: 'authorization=*AbCd1234 x-tenant-id=7' }));
    expect(named(same).named).toBe(0);
  });

  it('say nothing where calls choose popular items of their own', () => {
    const random = seeded(3);
    const item = () => String(1 + Math.floor(50 * random() ** 3));
    const rows = ROWS.map((row) => inPath(row, item()));
    const { named: spoke, calls } = named(rows);
    expect(spoke / calls).toBeLessThan(0.01);
  });

  it('are not fooled by numbers that requests and calls count up side by side', () => {
    let [requests, calls] = [1000, 1000];
    const rows = ROWS.map((row) => {
      if (row.target === '/second' || row.target === '/third') return row;
      return inPath(row, String(isCall(row) ? calls++ : requests++));
    });
    expect(named(rows).named).toBe(0);
  });

  it('are not believed where the request that shares them is answered before the reply comes', () => {
    const random = seeded(4);
    const values = new Map<number, string>();
    let before = 'none-yet-00';
    const rows = ROWS.map((row) => {
      if (isCall(row)) return inPath(row, values.get(row.truth)!);
      values.set(row.truth, before);
      before = String(Math.floor(random() * 1e9));
      return inPath(row, before);
    });
    expect(named(rows).surelyWrong).toBe(0);
    const passedOn = withValues(() => String(Math.floor(random() * 1e9)), inPath);
    expect(named(passedOn)).toMatchObject({ surelyWrong: 0 });
    expect(named(passedOn).named).toBeGreaterThan(0.9 * without.calls);
  });

  it('are never certain alone, and are explained in plain words', async () => {
    const random = seeded(5);
    const rows = withValues(() => String(Math.floor(random() * 1e6)), inPath);
    const { causes, texts } = await causesOf(rows, temporaryDirectory());
    expect(causes.verdict).not.toContain(VerdictCode.certain);
    const first = causes.client_row.findIndex(
      (row, at) => rows[row]!.target.startsWith('/first') && causes.candidates[at]! > 3,
    );
    const items: { rule: string; text: string; weight: number }[] = JSON.parse(texts.json(first));
    const item = items.find(({ rule }) => rule === 'token');
    expect(item?.text).toMatch(
      /^both carry \d+ \(the call in the path\), and .+ share it with their request in 9\d\.\d %$/,
    );
    expect(item?.weight).toBeGreaterThan(2);
  });
});
