import { TURNS_SEEN, type TurnClasses } from './classes.js';
import type { TurnEvents } from './numbers.js';

const ROUNDS = 150;
/** Turns that are learned from. */
const MOST_TURNS = 20_000;
/** Pairs of kinds that are looked at, the most frequent kinds first. */
const MOST_PAIRS = 40_000;

/** Events of each kind in each turn, turns without any left out. */
interface Counts {
  /** Per entry: kind and number; those of a turn stand together. */
  readonly kind: Int32Array;
  readonly number: Float64Array;
  /** By turn from the first one on: its entries. */
  readonly starts: Int32Array;
}

function countByTurn(
  events: TurnEvents,
  kindOf: (at: number) => number,
  first: number,
  turns: number,
): Counts {
  const kind: number[] = [];
  const number: number[] = [];
  const starts = new Int32Array(turns + 1);
  let at = 0;
  for (let turn = 0; turn < turns; turn++) {
    starts[turn] = kind.length;
    while (at < events.count && events.turn[at]! < first + turn) at++;
    for (; at < events.count && events.turn[at] === first + turn; at++) {
      const own = kindOf(at);
      const known = kind.indexOf(own, starts[turn]);
      if (known >= 0) number[known]!++;
      else {
        kind.push(own);
        number.push(1);
      }
    }
  }
  starts[turns] = kind.length;
  return { kind: Int32Array.from(kind), number: Float64Array.from(number), starts };
}

/** @returns of two kinds of effect: share of the turns with both in which the first of one is before that of the other */
export function learnFirstOrder(classes: TurnClasses, writes: TurnEvents) {
  const firsts = new Map<number, number>();
  const { effects } = classes;
  for (let from = 0; from < writes.count; ) {
    const seen: number[] = [];
    let to = from;
    for (; to < writes.count && writes.turn[to] === writes.turn[from]; to++) {
      const kind = classes.effectKind(writes, to);
      if (seen.includes(kind)) continue;
      for (const before of seen) {
        firsts.set(before * effects + kind, (firsts.get(before * effects + kind) ?? 0) + 1);
      }
      seen.push(kind);
    }
    from = to;
  }
  return (before: number, kind: number) => {
    const own = firsts.get(before * effects + kind) ?? 0;
    const other = firsts.get(kind * effects + before) ?? 0;
    return (own + 1) / (own + other + 2);
  };
}

export interface FirstRates {
  /** By kind of cause, kind of effect and turns between: effects that one cause has, on average. */
  rate(cause: number, effect: number, turns: number): number;
  /** Per kind of effect: how many a turn have no cause that was seen. */
  readonly hidden: Float64Array;
}

/**
 * How often causes lead to effects, and how many turns later, from how many of each kind there are in each turn
 * alone. Effects come as a Poisson process whose rate is the sum of what the causes of the turns before
 * bring; maximum likelihood by expectation and maximisation (as Richardson 1972 and Lucy 1974 do for images,
 * Veen and Schoenberg 2008 for earthquakes and their aftershocks). Where turns are full, pairs by chance
 * share the weight with the true ones; quiet turns tell them apart.
 */
export function learnFirstRates(
  classes: TurnClasses,
  reads: TurnEvents,
  writes: TurnEvents,
): FirstRates {
  const first = Math.min(reads.turn[0] ?? 0, writes.turn[0] ?? 0);
  const last = writes.turn[writes.count - 1] ?? 0;
  const turns = Math.min(MOST_TURNS, last - first + 1);
  const causes = countByTurn(reads, (at) => classes.causeKind(reads, at), first, turns);
  const effects = countByTurn(writes, (at) => classes.effectKind(writes, at), first, turns);
  const width = Math.min(classes.causes, Math.ceil(MOST_PAIRS / classes.effects));
  const slot = (cause: number, effect: number, distance: number) =>
    (effect * TURNS_SEEN + distance) * width + cause;
  const total = new Float64Array(width);
  causes.kind.forEach((kind, i) => {
    if (kind < width) total[kind]! += causes.number[i]!;
  });
  const rates = new Float64Array(classes.effects * TURNS_SEEN * width).fill(0.1);
  const hidden = new Float64Array(classes.effects).fill(0.1);
  const visit = (turn: number, see: (cause: number, number: number, distance: number) => void) => {
    for (let distance = 0; distance < TURNS_SEEN && distance <= turn; distance++) {
      const at = turn - distance;
      for (let i = causes.starts[at]!; i < causes.starts[at + 1]!; i++) {
        if (causes.kind[i]! < width) see(causes.kind[i]!, causes.number[i]!, distance);
      }
    }
  };
  for (let round = 0; round < ROUNDS; round++) {
    const found = new Float64Array(rates.length);
    const unexplained = new Float64Array(hidden.length);
    for (let turn = 0; turn < turns; turn++) {
      for (let i = effects.starts[turn]!; i < effects.starts[turn + 1]!; i++) {
        const effect = effects.kind[i]!;
        let sum = hidden[effect]!;
        visit(turn, (cause, number, distance) => {
          sum += rates[slot(cause, effect, distance)]! * number;
        });
        if (sum === 0) continue;
        const each = effects.number[i]! / sum;
        unexplained[effect]! += each * hidden[effect]!;
        visit(turn, (cause, number, distance) => {
          const at = slot(cause, effect, distance);
          found[at]! += each * rates[at]! * number;
        });
      }
    }
    for (let at = 0; at < rates.length; at++) {
      rates[at] = found[at]! / Math.max(1, total[at % width]!);
    }
    for (let effect = 0; effect < hidden.length; effect++) {
      hidden[effect] = unexplained[effect]! / Math.max(1, turns);
    }
  }
  return {
    rate: (cause, effect, distance) => (cause < width ? rates[slot(cause, effect, distance)]! : 0),
    hidden: hidden.map((rate) => (rate * turns) / Math.max(1, writes.count)),
  };
}
