import { TURNS_SEEN, type TurnClasses } from './classes.js';
import type { FirstRates } from './rates.js';

/** Classes that bring less than this of an effect are chance. */
const LEAST_RATE = 0.01;
/** Most classes that are followed, the surest first. */
const MOST_CLASSES = 2000;
/** What falls below this is given up. */
const DEAD_RATE = 0.005;
const MOST_RATE = 0.995;
const LEAST_HIDDEN = 1e-6;
/** At first, at least this share of effects has no known cause: counts alone explain too much. */
const HIDDEN = 0.1;
/** At first, a reply's effect works for the same request; it may also be what waited for its connection. */
const INHERITS = 0.9;
/** Nothing waits for requests: what follows them is theirs. */
const REQUEST_INHERITS = 0.99;
const INHERITS_COUNT = 5;
/** At first, effects side by side without a known cause have one in common. */
const TOGETHER = 0.3;
const AGAIN = 0.1;
const LEAST_ORDER = 1e-3;

/**
 * What is known of how causes lead to effects: per class and route of the request that the cause works for, the
 * share of causes that have this effect. Learned over and over from the links believed so far.
 */
export class TurnRules {
  /** By class of TurnClasses: number of its rule. */
  private readonly known = new Map<number, number>();
  readonly count: number;
  private readonly routes: number;
  /** Per followed class: kind of cause and of effect. */
  readonly cause: Int32Array;
  readonly effect: Int32Array;
  /** By class, then route. */
  private rates: Float64Array;
  private found: Float64Array;
  /** Per class: the greatest of its rates. */
  private readonly most: Float64Array;
  /** By kind of cause, then route: how many there are. */
  private readonly causes: Float64Array;
  /** Per class: share of its effects that work for the request of their cause. */
  readonly inherits: Float64Array;
  private readonly firstInherits: Float64Array;
  private readonly inherited: Float64Array;
  private readonly linked: Float64Array;
  /** Per class: how many more of the effects follow in the same run, per first one. */
  readonly again: Float64Array;
  private readonly repeated: Float64Array;
  /** Per kind of effect: how many a turn have no cause that was seen. */
  readonly hidden: Float64Array;
  private readonly hiddenFound: Float64Array;
  /** Per kind of effect: how many more of a run without a known cause are of it, per first one. */
  readonly hiddenAgain: Float64Array;
  private readonly hiddenFirst: Float64Array;
  private readonly hiddenRepeated: Float64Array;
  private readonly pairs = new Map<number, { share: number; found: number; of: number }>();

  private readonly answers: Float64Array;
  /** Per route: how many requests there are. */
  private readonly requests: Float64Array;
  private readonly orders = new Map<number, { share: number; found: number; of: number }>();

  constructor(
    private readonly classes: TurnClasses,
    first: FirstRates,
    private readonly routeShares: Float64Array,
    /** Per kind of effect: how many a turn there are. */
    perTurn: Float64Array,
    private readonly turns: number,
    /** Share of turns with both kinds of effect in which the first of one is before the first of the other. */
    private readonly firstOrder: (before: number, kind: number) => number,
  ) {
    this.routes = classes.requests.count;
    const found: { key: number; cause: number; effect: number; rate: number }[] = [];
    for (let cause = 0; cause < classes.causes; cause++) {
      for (let effect = 0; effect < classes.effects; effect++) {
        for (let turns = 0; turns < TURNS_SEEN; turns++) {
          const rate = first.rate(cause, effect, turns);
          const isAnswer = cause < this.routes && classes.routeOf(effect) === cause;
          if (isAnswer) {
            found.push({ key: classes.keyOf(cause, effect, turns, 0), cause, effect, rate: 0 });
          }
          if (isAnswer || !(rate >= LEAST_RATE)) continue;
          for (const same of [0, 1]) {
            const key = classes.keyOf(cause, effect, turns, same);
            found.push({ key, cause, effect, rate });
          }
        }
      }
    }
    const kept = found.sort((a, b) => b.rate - a.rate).slice(0, MOST_CLASSES);
    kept.forEach(({ key }, i) => {
      this.known.set(key, i);
    });
    this.count = kept.length;
    this.cause = Int32Array.from(kept, ({ cause }) => cause);
    this.effect = Int32Array.from(kept, ({ effect }) => effect);
    this.rates = new Float64Array(this.count * this.routes);
    this.found = new Float64Array(this.rates.length);
    this.answers = new Float64Array(this.rates.length);
    this.requests = new Float64Array(this.routes);
    for (const route of classes.requests.of) this.requests[route]!++;
    kept.forEach(({ cause, effect, rate }, i) => {
      for (let route = 0; route < this.routes; route++) {
        const own = this.firstRate(cause, effect, route, rate);
        this.rates[i * this.routes + route] = Math.min(MOST_RATE, own);
      }
    });
    this.most = new Float64Array(this.count);
    this.findMost();
    this.causes = new Float64Array(classes.causes * this.routes);
    this.inherits = Float64Array.from(kept, ({ cause }) =>
      cause < this.routes ? REQUEST_INHERITS : INHERITS,
    );
    this.firstInherits = this.inherits.slice();
    this.inherited = new Float64Array(this.count);
    this.linked = new Float64Array(this.count);
    this.again = new Float64Array(this.count).fill(AGAIN);
    this.repeated = new Float64Array(this.count);
    this.hidden = first.hidden.map((rate, kind) =>
      Math.max(LEAST_HIDDEN, rate, HIDDEN * perTurn[kind]!),
    );
    this.hiddenFound = new Float64Array(this.hidden.length);
    this.hiddenAgain = new Float64Array(this.hidden.length).fill(AGAIN);
    this.hiddenFirst = new Float64Array(this.hidden.length);
    this.hiddenRepeated = new Float64Array(this.hidden.length);
  }

  private findMost(): void {
    for (let of = 0; of < this.count; of++) {
      const own = this.rates.subarray(of * this.routes, (of + 1) * this.routes);
      this.most[of] = own.reduce((most, rate) => Math.max(most, rate), 0);
    }
  }

  private firstRate(cause: number, effect: number, route: number, rate: number): number {
    const answered = this.classes.routeOf(effect);
    if (cause < this.routes) return cause === route ? rate : 0;
    if (answered < 0) return rate;
    return answered === route ? rate / Math.max(0.01, this.routeShares[route]!) : 0;
  }

  /** Number of the rule of a class of TurnClasses; -1 where it is not followed, or not any more. */
  of(key: number): number {
    const known = this.known.get(key);
    return known === undefined || this.most[known]! < DEAD_RATE ? -1 : known;
  }

  rate(of: number, route: number): number {
    return this.rates[of * this.routes + route]!;
  }

  /** By kind of cause, then route: probability that none of the effects follows. */
  silence(): Float64Array {
    const loud = new Map<number, Float64Array>();
    const silent = new Float64Array(this.classes.causes * this.routes).fill(1);
    for (let of = 0; of < this.count; of++) {
      // Over the distances: of one effect.
      const key = this.cause[of]! * this.classes.effects + this.effect[of]!;
      const sums = loud.get(key) ?? new Float64Array(this.routes);
      loud.set(key, sums);
      for (let route = 0; route < this.routes; route++) sums[route]! += this.rate(of, route);
    }
    for (const [key, sums] of loud) {
      const cause = Math.floor(key / this.classes.effects);
      sums.forEach((rate, route) => {
        silent[cause * this.routes + route]! *= 1 - Math.min(MOST_RATE, rate);
      });
    }
    return silent;
  }

  /** Share of runs with both kinds of effect in which the first comes before the second. */
  order(cause: number, before: number, kind: number): number {
    if (before === kind) return 1;
    const key = (cause * this.classes.effects + before) * this.classes.effects + kind;
    return this.orders.get(key)?.share ?? this.firstOrder(before, kind);
  }

  addOrder(cause: number, before: number, kind: number, share: number): void {
    if (before === kind || share === 0) return;
    const { effects } = this.classes;
    const add = (first: number, second: number, found: number) => {
      const key = (cause * effects + first) * effects + second;
      const known = this.orders.get(key) ?? {
        share: this.firstOrder(first, second),
        found: 0,
        of: 0,
      };
      this.orders.set(key, known);
      known.found += found;
      known.of += share;
    };
    add(before, kind, share);
    add(kind, before, 0);
  }

  private pair(before: number, kind: number) {
    const key = before * this.classes.effects + kind;
    let known = this.pairs.get(key);
    if (known === undefined) {
      known = { share: TOGETHER, found: 0, of: 0 };
      this.pairs.set(key, known);
    }
    return known;
  }

  /** Share of effects of one kind without a known cause that are followed by one of the other that has the same. */
  together(before: number, kind: number): number {
    return this.pair(before, kind).share;
  }

  addCause(kind: number, route: number, share: number): void {
    this.causes[kind * this.routes + route]! += share;
  }

  addLink(of: number, route: number, share: number): void {
    this.found[of * this.routes + route]! += share;
  }

  /** The same, before answers are admitted. */
  answerOf(key: number): number {
    return this.known.get(key) ?? -1;
  }

  /** Notes a response without a known cause, as its request's own effect. */
  addAnswer(of: number, route: number, share: number): void {
    this.answers[of * this.routes + route]! += share;
  }

  /**
   * From now on, what no reply led to may follow from the request itself. Not from the start: how long requests
   * take, calls included, may be regular as well.
   */
  private admitAnswers(): void {
    this.answers.forEach((found, at) => {
      const of = Math.floor(at / this.routes);
      const causes = this.requests[this.cause[of]!] ?? 0;
      const rate = found / (causes + 1);
      if (rate >= LEAST_RATE) this.rates[at] = Math.min(MOST_RATE, rate);
    });
  }

  addRepeat(of: number, share: number): void {
    this.repeated[of]! += share;
  }

  addInherited(of: number, link: number, inherited: number): void {
    this.linked[of]! += link;
    this.inherited[of]! += inherited;
  }

  addHidden(kind: number, share: number): void {
    this.hiddenFound[kind]! += share;
  }

  addHiddenRepeat(kind: number, share: number, repeated: number): void {
    this.hiddenFirst[kind]! += share - repeated;
    this.hiddenRepeated[kind]! += repeated;
  }

  addTogether(before: number, kind: number, hidden: number, share: number): void {
    const pair = this.pair(before, kind);
    pair.of += hidden;
    pair.found += share;
  }

  /** Believes what was added since the last time. @param admitsAnswers see admitAnswers() */
  learn(admitsAnswers: boolean): void {
    const { routes } = this;
    for (let of = 0; of < this.count; of++) {
      let first = 0;
      for (let route = 0; route < routes; route++) {
        const causes = this.causes[this.cause[of]! * routes + route]!;
        const found = this.found[of * routes + route]!;
        first += found;
        this.rates[of * routes + route] = Math.min(MOST_RATE, found / (causes + 1));
      }
      this.again[of] = (this.repeated[of]! + AGAIN) / (first + 1);
      this.inherits[of] =
        (this.inherited[of]! + this.firstInherits[of]! * INHERITS_COUNT) /
        (this.linked[of]! + INHERITS_COUNT);
    }
    for (let kind = 0; kind < this.hidden.length; kind++) {
      this.hiddenAgain[kind] =
        (this.hiddenRepeated[kind]! + AGAIN) /
        (this.hiddenFirst[kind]! + this.hiddenRepeated[kind]! + 1);
      this.hidden[kind] = Math.max(LEAST_HIDDEN, this.hiddenFound[kind]! / Math.max(1, this.turns));
    }
    for (const pair of this.pairs.values()) {
      pair.share = Math.min(0.99, (pair.found + TOGETHER) / (pair.of + 1));
      pair.found = 0;
      pair.of = 0;
    }
    for (const order of this.orders.values()) {
      order.share = Math.max(LEAST_ORDER, (order.found + order.share) / (order.of + 1));
      order.found = 0;
      order.of = 0;
    }
    if (admitsAnswers) this.admitAnswers();
    this.findMost();
    this.answers.fill(0);
    for (const sums of [
      this.found,
      this.causes,
      this.inherited,
      this.linked,
      this.repeated,
      this.hiddenFound,
      this.hiddenFirst,
      this.hiddenRepeated,
    ]) {
      sums.fill(0);
    }
  }
}
