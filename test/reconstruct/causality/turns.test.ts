// Turns of event loops: which of the things read before led to what is written in a turn.
import { describe, expect, it } from 'vitest';
import { Role } from '../../../src/model/exchange.js';
import { VerdictCode } from '../../../src/reconstruct/causality/decide.js';
import { inferCauses } from '../../../src/reconstruct/causality/infer.js';
import type { ProcessHints } from '../../../src/reconstruct/causality/process-hints.js';
import { align } from '../../../src/reconstruct/causality/turns/alignment.js';
import { Place, placesOf } from '../../../src/reconstruct/causality/turns/classes.js';
import { type Row, seeded, tableOf } from './simulate.js';
import { asyncioService } from './simulate-asyncio.js';

/** Odds by effect and cause; effects of one kind each, unless told. */
function alignment(odds: number[][], kind = odds.map((_, i) => i), hidden = 0.01, together = 0) {
  const causes = odds[0]!.length;
  const flat = Float64Array.from(odds.flat());
  return align({
    effects: odds.length,
    causes,
    kind: Int32Array.from(kind),
    odds: flat,
    again: flat.map((value) => Math.min(1, value) * 0.01),
    order: new Float64Array(flat.length).fill(1),
    hidden: new Float64Array(odds.length).fill(hidden),
    together: new Float64Array(odds.length).fill(together),
    hiddenAgain: new Float64Array(odds.length).fill(0.1),
  });
}

/** Shares of the calls, 0..1. @param told share of the requests whose tasks are told, each call on a task of its own */
function outcome(rows: readonly Row[], hints: ProcessHints, told = 0) {
  const { exchanges, rows: all } = tableOf(rows);
  rows.forEach(({ role, truth }, i) => {
    if (truth % 100 >= told * 100) return;
    const own = truth + 1;
    if (role === Role.server) exchanges.response_goroutine[i] = own;
    else {
      exchanges.request_goroutine[i] = rows.length + i;
      exchanges.creator[i] = own;
      exchanges.caller[i] = own;
    }
  });
  const { index, decisions } = inferCauses(exchanges, all, undefined, hints);
  const calls = rows.filter(({ role }) => role === Role.client).length;
  let right = 0;
  let wrong = 0;
  index.clients.forEach((row, client) => {
    const verdict = decisions.verdict[client];
    if (verdict !== VerdictCode.certain && verdict !== VerdictCode.probable) return;
    if (index.servers[decisions.best(client)] === rows[row]!.truth) right++;
    else wrong++;
  });
  return { right: right / calls, wrong: wrong / calls };
}

describe('alignment', () => {
  it('keeps the order of causes', () => {
    const { link } = alignment(
      [
        [9, 9],
        [9, 9],
      ],
      [0, 0],
    );
    expect(link[0]! * link[3]!).toBeGreaterThan(0.9);
    expect(link[1]! + link[2]!).toBeLessThan(0.1);
  });

  it('lets one cause have several effects, and effects have none that is known', () => {
    const { link, hidden, followed } = alignment([
      [9, 0],
      [9, 0],
      [0, 0],
      [0, 9],
    ]);
    expect(Math.min(link[0]!, link[2]!, link[7]!)).toBeGreaterThan(0.9);
    expect(followed[2]).toBeGreaterThan(0.9);
    expect(hidden[2]).toBeCloseTo(1, 6);
  });

  it('cannot tell where nothing differs', () => {
    const { link } = alignment([[1, 1]]);
    expect(link[0]).toBeCloseTo(link[1]!, 9);
  });

  it('stays in range over hundreds of effects', () => {
    const size = 300;
    const odds = Array.from({ length: size }, () => new Array<number>(size).fill(50));
    const { link, hidden } = alignment(odds, new Array<number>(size).fill(0), 1e-6);
    for (let i = 0; i < size; i++) {
      const own = link.subarray(i * size, (i + 1) * size);
      expect(own.indexOf(Math.max(...own))).toBe(i);
      expect(own.reduce((a, b) => a + b, hidden[i]!)).toBeCloseTo(1, 6);
    }
    expect(Math.max(...hidden)).toBeLessThan(0.1);
    expect(alignment(odds.map((row) => row.map(() => 0))).hidden.every((p) => p === 1)).toBe(true);
  });

  it('finds effects side by side that share a cause nobody saw', () => {
    const { together } = alignment([[0], [0]], [0, 1], 0.1, 0.9);
    expect(together[1]).toBeCloseTo(0.9, 1);
  });
});

it('of calls made together only the last reply leads on', () => {
  const places = placesOf(Int32Array.of(-1, 0, 1, -1), Float64Array.of(5, 9, 7, 6));
  expect([...places]).toEqual([Place.earlier, Place.last, Place.earlier, Place.alone]);
});

describe('asyncio', () => {
  it.each([8, 32])('finds the requests of calls with %d users', (users) => {
    const { rows, hints } = asyncioService({ users, requests: 300, seed: 5 });
    const { right, wrong } = outcome(rows, hints);
    expect(right).toBeGreaterThan(users === 8 ? 0.97 : 0.8);
    expect(wrong).toBeLessThan(0.01);
  });

  it('needs no turns where tasks are told', () => {
    const { rows, hints } = asyncioService({ users: 128, requests: 300, seed: 8 });
    expect(outcome(rows, hints, 1)).toEqual({ right: 1, wrong: 0 });
  });

  it('takes what tasks tell as given where not all are told', () => {
    const { rows, hints } = asyncioService({ users: 16, requests: 120, seed: 9 });
    const { right, wrong } = outcome(rows, hints, 0.5);
    expect(right).toBeGreaterThan(0.95);
    expect(wrong).toBeLessThan(0.01);
  });

  it('says nothing where turns explain nothing', () => {
    const { rows, hints } = asyncioService({ users: 32, requests: 150, seed: 6 });
    const random = seeded(7);
    const end = hints.time[hints.count - 1]!;
    const time = Float64Array.from(hints.time, () => random() * end).sort();
    const { exchanges, rows: all } = tableOf(rows);
    const named = (own: ProcessHints) => {
      const { index, knowledge } = inferCauses(exchanges, all, undefined, own);
      return knowledge.turns.forward.filter((server) => server >= 0).length / index.clients.length;
    };
    expect(named(hints)).toBeGreaterThan(0.9);
    expect(named({ ...hints, time })).toBe(0);
  });
});
