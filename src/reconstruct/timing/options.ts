import type { TimingState } from './state.js';

/** A move that would cost more than this is not worth trying again, nats. */
export const HOPELESS = -10;
/** What a move's best outcome is worth less once the habits were learned anew. */
const AGEING = 3;
/** Share of moves that try what was found hopeless: the state around it may have changed. */
const SECOND_CHANCES = 1 / 16;

/**
 * What can be decided: an *option* is a call with one of its candidates (its index in the problem's
 * list), or with no span at all (the length of the list, plus the call). Most options of
 * a load are soon seen to be hopeless; moves then keep to the *live* ones.
 */
export class Options {
  /** How many calls have a choice. */
  readonly calls: number;
  readonly #state: TimingState;
  /** Options of calls with a choice, and the calls they are of. */
  readonly #all: Uint32Array;
  readonly #callOf: Uint32Array;
  /** Per option: the most that a move seeded by it would have gained since it was last judged. */
  readonly #gains: Float32Array;
  #live: Uint32Array;

  constructor(state: TimingState) {
    this.#state = state;
    const { offsets, list, none } = state.problem;
    const calls = state.parent.length;
    const options: number[] = [];
    let choices = 0;
    this.#callOf = new Uint32Array(list.length + calls);
    for (let call = 0; call < calls; call++) {
      const mayBeNone = none[call]! > -Infinity;
      const from = offsets[call]!;
      const to = offsets[call + 1]!;
      if (to - from + (mayBeNone ? 1 : 0) < 2) continue;
      choices++;
      for (let at = from; at < to; at++) {
        this.#callOf[at] = call;
        options.push(at);
      }
      this.#callOf[list.length + call] = call;
      if (mayBeNone) options.push(list.length + call);
    }
    this.calls = choices;
    this.#all = Uint32Array.from(options);
    this.#live = this.#all;
    this.#gains = new Float32Array(list.length + calls).fill(-Infinity);
  }

  /** How many there are. */
  get total(): number {
    return this.#all.length;
  }

  /** Those worth trying, ascending by call. */
  get live(): Uint32Array {
    return this.#live;
  }

  callOf(option: number): number {
    return this.#callOf[option]!;
  }

  /** One to try: nearly always a live one. */
  draw(random: () => number): number {
    const isSeldom = this.#live.length < this.#all.length && random() < SECOND_CHANCES;
    const from = isSeldom ? this.#all : this.#live;
    return from[(random() * from.length) | 0]!;
  }

  /**
   * Leaves out at first what is hopeless by the call's own gaps. Of a call with anything left, the
   * present state stays.
   *
   * @param weights per entry of the problem's list: how probable it is for the call on its own
   */
  suppose(weights: Float64Array): void {
    const { offsets } = this.#state.problem;
    for (let call = 0; call + 1 < offsets.length; call++) {
      const from = offsets[call]!;
      const to = offsets[call + 1]!;
      let most = 0;
      for (let at = from; at < to; at++) if (weights[at]! > most) most = weights[at]!;
      for (let at = from; at < to; at++) this.#gains[at] = Math.log(weights[at]! / most);
      this.#gains[weights.length + call] = 0;
    }
    this.select();
    this.#gains.fill(Number.NEGATIVE_INFINITY);
  }

  /** Takes note of what a move would have gained, taken or not, nats. */
  note(option: number, gain: number): void {
    if (gain > this.#gains[option]!) this.#gains[option] = gain;
  }

  /**
   * Leaves out what was found hopeless. Of a call with anything left, the present state stays.
   *
   * @param most how many may be left per call with a choice; where more would be, nothing is left out
   */
  select(most = Number.POSITIVE_INFINITY): void {
    const { entry, problem } = this.#state;
    const gains = this.#gains;
    const none = problem.list.length;
    const open = new Uint8Array(entry.length);
    const isPresent = (option: number, call: number) =>
      option === (entry[call] === -1 ? none + call : entry[call]);
    for (const option of this.#all) {
      const call = this.#callOf[option]!;
      if (gains[option]! > HOPELESS && !isPresent(option, call)) open[call] = 1;
    }
    const live = this.#all.filter((option) => {
      const call = this.#callOf[option]!;
      return open[call] === 1 && (gains[option]! > HOPELESS || isPresent(option, call));
    });
    if (live.length > most * this.calls) return;
    this.#live = live;
    for (const option of this.#all) gains[option]! -= AGEING;
  }

  /** Calls with a live option, each once. */
  liveCalls(): Uint32Array {
    const calls = this.#live.map((option) => this.#callOf[option]!);
    return calls.filter((call, i) => i === 0 || calls[i - 1] !== call);
  }
}
