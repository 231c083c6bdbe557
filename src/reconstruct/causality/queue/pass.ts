import type { Counts, Habits } from './habits.js';
import type { Lane } from './lane.js';

/** Numbers kept per block: 8 bytes each. */
const MOST_KEPT = 1e6;
/** Calls looked ahead beyond a block, so that what follows testifies too. */
const LOOK_AHEAD = 200;
/** A way that has less than this share of all ways is given up. */
const HOPELESS = 1e-9;

/** What the calls so far leave: the state behind one call, scaled to a sum of one. */
interface Step {
  /** Triggers [first, end) are told apart. */
  readonly first: number;
  readonly end: number;
  /** Per trigger, then calls that it has led to (1..Habits.steps): probability that it led to the last. */
  readonly mass: Float64Array;
  /** Probability that all triggers before `first`, and none since, led to calls. */
  readonly passed: number;
  /** Log probability of the last call, given those before it. */
  readonly fit: number;
}

/** What a pass finds. */
export interface Found {
  /** Per call: the most probable trigger; -1 none. */
  readonly trigger: Int32Array;
  /** Per call: probability of that trigger's server, or of the trigger where its server is not known, 0..1. */
  readonly chance: Float64Array;
  /** Log probability of all calls, nats. */
  readonly fit: number;
}

/**
 * A queue keeps order: the calls of one trigger come before those of the next. Forward and
 * backward sums over all ways to share the calls of a lane out to its triggers in that order (a
 * hidden Markov model whose state is the trigger; Rabiner, 1989). Costs one step per call and
 * trigger that may have led to it.
 */
export class Pass {
  readonly #lane: Lane;
  readonly #habits: Habits;
  readonly #counts: Counts | undefined;
  readonly #trigger: Int32Array;
  readonly #chance: Float64Array;
  #fit = 0;
  /** Of the call at hand, per trigger from its `first` on: how well it goes with what is known of the call. */
  #fits = new Float64Array(256);
  /** The same, then calls had: probability that the trigger leads to the call, as its first or a later one. */
  #ways: Float64Array;
  /** Calls of one trigger that are told apart. */
  readonly #steps: number;

  private constructor(lane: Lane, habits: Habits, counts: Counts | undefined) {
    this.#lane = lane;
    this.#habits = habits;
    this.#counts = counts;
    this.#steps = habits.steps;
    this.#ways = new Float64Array(this.#fits.length * this.#steps);
    this.#trigger = new Int32Array(lane.callKind.length).fill(-1);
    this.#chance = new Float64Array(lane.callKind.length);
  }

  /** @param counts is added to, where given */
  static run(lane: Lane, habits: Habits, counts?: Counts): Found {
    const pass = new Pass(lane, habits, counts);
    pass.#run();
    return { trigger: pass.#trigger, chance: pass.#chance, fit: pass.#fit };
  }

  #run(): void {
    const calls = this.#lane.callKind.length;
    const start = this.#lane.first[0] ?? 0;
    let before: Step = { first: start, end: start, mass: new Float64Array(0), passed: 1, fit: 0 };
    for (let from = 0; from < calls; ) {
      const steps: Step[] = [before];
      let kept = 0;
      let to = from;
      while (to < calls && (kept < MOST_KEPT || to - from < 2 * LOOK_AHEAD)) {
        const step = this.#forward(steps[to - from]!, to);
        kept += step.mass.length;
        steps.push(step);
        to++;
      }
      const sure = to === calls ? calls : to - LOOK_AHEAD;
      this.#backward(steps, from, sure);
      for (let at = from; at < sure; at++) this.#fit += steps[at - from + 1]!.fit;
      before = steps[sure - from]!;
      from = sure;
    }
  }

  /** Range of triggers of a call, and how well they go with it. */
  #enter(before: Step, call: number): { first: number; end: number } {
    const lane = this.#lane;
    const first = Math.max(before.first, lane.first[call]!);
    const end = Math.max(first, lane.end[call]!);
    if (end - first > this.#fits.length) {
      this.#fits = new Float64Array(2 * (end - first));
      this.#ways = new Float64Array(2 * (end - first) * this.#steps);
    }
    lane.agreement(call, first, end, this.#fits);
    return { first, end };
  }

  /** Fills #ways with the ways in which a call follows the state before it. @returns what has passed by `first` */
  #follow(before: Step, call: number, first: number, end: number): { passed: number; end: number } {
    const lane = this.#lane;
    const { next, stop, led, triggers, calls, steps } = this.#habits;
    const { triggerKind } = lane;
    const agreements = this.#fits;
    const ways = this.#ways;
    const step = triggers.length * calls.length;
    const kind = lane.callKind[call]!;
    const { mass } = before;
    let fresh = before.passed;
    let passed = fresh;
    for (let at = before.first; at < end; at++) {
      if (at === first) passed = fresh;
      if (fresh < HOPELESS && at >= before.end && at >= first) return { passed, end: at };
      const trigger = triggerKind[at]!;
      const own = at < before.end ? (at - before.first) * steps : -1;
      if (at >= first) {
        const to = (at - first) * steps;
        const fits = agreements[at - first]! * led;
        let place = trigger * calls.length + kind;
        ways[to] = fresh * next[place]! * fits;
        for (let had = 1; had < steps; had++) {
          place += step;
          const held = own === -1 ? 0 : mass[own + had - 1]!;
          ways[to + had] = held === 0 ? 0 : held * next[place]! * fits;
        }
      }
      fresh *= stop[trigger]!;
      if (own === -1) continue;
      for (let had = 1; had <= steps; had++) {
        const held = mass[own + had - 1]!;
        if (held !== 0) fresh += held * stop[had * triggers.length + trigger]!;
      }
    }
    return { passed: end <= first ? fresh : passed, end };
  }

  #forward(before: Step, call: number): Step {
    const { first, end: most } = this.#enter(before, call);
    const { passed, end } = this.#follow(before, call, first, most);
    const steps = this.#steps;
    const alone = this.#habits.spontaneous[this.#lane.callKind[call]!]!;
    const mass = this.#ways.slice(0, (end - first) * steps);
    const shared = Math.min(end, before.end);
    for (let at = first; at < shared; at++) {
      const from = (at - before.first) * steps;
      const to = (at - first) * steps;
      for (let had = 0; had < steps; had++) mass[to + had]! += before.mass[from + had]! * alone;
    }
    let sum = passed * alone;
    for (let at = 0; at < mass.length; at++) sum += mass[at]!;
    const fit = Math.log(Math.max(Number.MIN_VALUE, sum));
    if (!(sum > 0)) return { first, end, mass: mass.fill(0), passed: 1, fit };
    const scale = 1 / sum;
    let least = mass.length;
    for (let at = mass.length - 1; at >= 0; at--) {
      const share = mass[at]! * scale;
      mass[at] = share < HOPELESS ? 0 : share;
      if (mass[at] !== 0) least = at;
    }
    const gone = passed * alone * scale;
    if (gone >= HOPELESS) return { first, end, mass, passed: gone, fit };
    // Nothing before the first trigger with a share can lead to a call any more.
    const skipped = Math.min(end - first, Math.floor(least / steps));
    const rest = skipped === 0 ? mass : mass.slice(skipped * steps);
    return { first: first + skipped, end, mass: rest, passed: 0, fit };
  }

  /** @param steps states before and behind each call from `from` on; those up to `sure` are judged */
  #backward(steps: readonly Step[], from: number, sure: number): void {
    const last = steps[steps.length - 1]!;
    let ahead = new Float64Array(last.mass.length).fill(1);
    let aheadPassed = 1;
    for (let at = steps.length - 1; at > 0; at--) {
      const call = from + at - 1;
      const before = steps[at - 1]!;
      const step = steps[at]!;
      this.#lane.agreement(call, step.first, step.end, this.#fits);
      if (call < sure) this.#judge(before, step, call, ahead, aheadPassed);
      const back = this.#stepBack(before, step, call, ahead, aheadPassed);
      ahead = back.ahead;
      aheadPassed = back.passed;
    }
  }

  #stepBack(before: Step, step: Step, call: number, ahead: Float64Array, aheadPassed: number) {
    const { triggerKind, callKind } = this.#lane;
    const { next, stop, led, triggers, calls, spontaneous, steps } = this.#habits;
    const agreements = this.#fits;
    const kind = callKind[call]!;
    const stride = triggers.length * calls.length;
    const alone = spontaneous[kind]!;
    const out = new Float64Array(before.mass.length);
    let sum = 0;
    /** What is ahead of a state that has left all triggers below `at` behind. */
    let open = step.end <= step.first ? alone * aheadPassed : 0;
    for (let at = step.end - 1; at >= before.first; at--) {
      const trigger = triggerKind[at]!;
      const isInside = at >= step.first;
      const fits = isInside ? agreements[at - step.first]! * led : 0;
      const own = (at - step.first) * steps;
      let place = trigger * calls.length + kind;
      const start = isInside ? next[place]! * fits * ahead[own]! : 0;
      if (at < before.end) {
        const to = (at - before.first) * steps;
        for (let had = 1; had <= steps; had++) {
          place += stride;
          const mass = before.mass[to + had - 1]!;
          if (mass === 0) continue;
          let value = stop[had * triggers.length + trigger]! * open;
          if (isInside) {
            value += alone * ahead[own + had - 1]!;
            if (had < steps) value += next[place]! * fits * ahead[own + had]!;
          }
          out[to + had - 1] = value;
          sum += value * mass;
        }
      }
      open = open * stop[trigger]! + start;
      if (at === step.first) open += alone * aheadPassed;
    }
    sum += open * before.passed;
    if (!(sum > 0)) return { ahead: out.fill(1), passed: 1 };
    const scale = 1 / sum;
    for (let at = 0; at < out.length; at++) out[at]! *= scale;
    return { ahead: out, passed: open * scale };
  }

  /** The triggers of one call by probability: counts them, and keeps the best. */
  #judge(before: Step, step: Step, call: number, ahead: Float64Array, aheadPassed: number): void {
    const { first, end } = step;
    const steps = this.#steps;
    const { passed } = this.#follow(before, call, first, end);
    const ways = this.#ways;
    const length = (end - first) * steps;
    const alone = this.#habits.spontaneous[this.#lane.callKind[call]!]!;
    let none = passed * alone * aheadPassed;
    for (let at = first; at < Math.min(end, before.end); at++) {
      const from = (at - before.first) * steps;
      const to = (at - first) * steps;
      for (let had = 0; had < steps; had++) {
        none += before.mass[from + had]! * alone * ahead[to + had]!;
      }
    }
    let all = none;
    for (let at = 0; at < length; at++) {
      if (ways[at] === 0) continue;
      ways[at]! *= ahead[at]!;
      all += ways[at]!;
    }
    if (!(all > 0)) return;
    this.#count(call, first, length, none / all, 1 / all);
    let best = -1;
    let most = 0;
    for (let at = 0; at < length; at += steps) {
      let own = 0;
      for (let had = 0; had < steps; had++) own += ways[at + had]!;
      if (own <= most) continue;
      most = own;
      best = first + at / steps;
    }
    this.#trigger[call] = best;
    if (best !== -1) this.#chance[call] = this.#chanceOf(best, most, first, length) / all;
  }

  #count(call: number, first: number, length: number, none: number, scale: number): void {
    if (this.#counts === undefined) return;
    const { triggerKind, callKind } = this.#lane;
    const { triggers, calls } = this.#habits;
    const kind = callKind[call]!;
    for (let at = 0, trigger = first; at < length; trigger++) {
      for (let step = 0; step < this.#steps; step++, at++) {
        const weight = this.#ways[at]! * scale;
        if (weight < HOPELESS) continue;
        const place = step * triggers.length + triggerKind[trigger]!;
        this.#counts.calls[place * calls.length + kind]! += weight;
      }
    }
    this.#counts.spontaneous[kind]! += none;
  }

  /** Triggers of one server say the same. */
  #chanceOf(best: number, most: number, first: number, length: number): number {
    const { triggerServer } = this.#lane;
    const server = triggerServer[best]!;
    if (server === -1) return most;
    let sum = 0;
    for (let at = 0, trigger = first; at < length; at += this.#steps, trigger++) {
      if (triggerServer[trigger] !== server) continue;
      for (let step = 0; step < this.#steps; step++) sum += this.#ways[at + step]!;
    }
    return sum;
  }
}
