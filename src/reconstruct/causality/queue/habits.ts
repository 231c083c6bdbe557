/**
 * What each kind of trigger makes of a queue's calls: which call comes first, which next, and
 * when there are no more. Probabilities, learned by expectation and maximisation.
 */

/** Calls that one trigger may lead to in one lane, at most. */
export const MOST_CALLS = 6;
/** Share of calls that nothing recorded led to, at first and at least. */
const SPONTANEOUS = 0.01;
const LEAST_SPONTANEOUS = 1e-4;
const MOST_SPONTANEOUS = 0.2;
/** Chance of a further call before anything is learned. */
const ANOTHER = 0.05;
/** How much what was seen counts against what is guessed. */
const SEEN = 0.6;
const LEAST_STOP = 1e-6;
const FIRST_STEPS = 3;
const LEAST_TRIGGERS = 20;
/** A further call of a trigger counts where at least this share of those before has one. */
const NOTABLE = 0.01;
/** Pseudo-observations spread over all kinds of calls. */
const SMOOTHING = 0.05;

const sum = (counts: Float64Array) => counts.reduce((total, count) => total + count, 0);

/** Expected counts of one pass. */
export class Counts {
  /** Per step, kind of trigger and kind of call: how often the trigger's step-th call was one. */
  readonly calls: Float64Array;
  /** Per kind of call: how often nothing led to it. */
  readonly spontaneous: Float64Array;

  constructor(triggerKinds: number, callKinds: number) {
    this.calls = new Float64Array(MOST_CALLS * triggerKinds * callKinds);
    this.spontaneous = new Float64Array(callKinds);
  }
}

export class Habits {
  /** [step][kind of trigger][kind of call]: probability that the next call of the trigger is of that kind. */
  readonly next: Float64Array;
  /** [calls so far, 0..MOST_CALLS][kind of trigger]: probability that there are no more. */
  readonly stop: Float64Array;
  /** [kind of call]: probability that the next call of the lane is one that nothing led to. */
  readonly spontaneous: Float64Array;
  /** Calls of one trigger that are worth looking for: one more than it was found to lead to. */
  steps = FIRST_STEPS;
  /** Probability that the next call of the lane is one that something led to. */
  led = 1 - SPONTANEOUS;

  /**
   * @param triggers per kind of trigger: how many there are
   * @param calls per kind of call: how many the lane has
   * @param belief per kind of trigger: how much it is believed to lead to calls, against others
   * @param seen as `next`: share of triggers that were seen to lead to such a call
   * @param another chance of a further call
   */
  constructor(
    readonly triggers: Float64Array,
    readonly calls: Float64Array,
    belief: Float64Array,
    seen: Float64Array,
    another = ANOTHER,
  ) {
    const triggerKinds = triggers.length;
    const all = Math.max(1, sum(calls));
    const rate = Math.min(0.8, all / Math.max(1, sum(triggers)));
    this.next = new Float64Array(MOST_CALLS * triggerKinds * calls.length);
    this.stop = new Float64Array((MOST_CALLS + 1) * triggerKinds).fill(1);
    this.spontaneous = calls.map((count) => (SPONTANEOUS * count) / all);
    for (let step = 0; step < MOST_CALLS; step++) {
      for (let kind = 0; kind < triggerKinds; kind++) {
        const from = this.place(step, kind);
        const guess = (step === 0 ? rate : another) * belief[kind]!;
        let any = 0;
        for (let call = 0; call < calls.length; call++) {
          const own = SEEN * Math.min(1, seen[from + call]!);
          this.next[from + call] = own + ((1 - SEEN) * guess * calls[call]!) / all;
          any += this.next[from + call]!;
        }
        this.stop[step * triggerKinds + kind] = Math.max(LEAST_STOP, 1 - any);
      }
    }
  }

  /** Where the probabilities of a step of a kind of trigger begin. */
  place(step: number, trigger: number): number {
    return (step * this.triggers.length + trigger) * this.calls.length;
  }

  /** Learns anew from what a pass expects. @param triggers per kind of trigger: how many the pass met */
  learn(counts: Counts, triggers: Float64Array): void {
    const { calls, next, stop } = this;
    const all = Math.max(1, sum(calls));
    let steps = 1;
    for (let kind = 0; kind < triggers.length; kind++) {
      let reached = triggers[kind]!;
      for (let step = 0; step < MOST_CALLS; step++) {
        const from = this.place(step, kind);
        let went = 0;
        let any = 0;
        for (let call = 0; call < calls.length; call++) {
          const expected = counts.calls[from + call]!;
          went += expected;
          const share = (SMOOTHING * calls[call]!) / all;
          next[from + call] = (expected + share) / (Math.max(reached, went) + 2 * SMOOTHING);
          any += next[from + call]!;
        }
        stop[step * triggers.length + kind] = Math.max(LEAST_STOP, 1 - any);
        if (step > 0 && went > NOTABLE * Math.max(LEAST_TRIGGERS, reached)) {
          steps = Math.max(steps, step + 1);
        }
        reached = went;
      }
    }
    this.steps = Math.min(MOST_CALLS, steps + 1);
    for (let call = 0; call < calls.length; call++) {
      const share = Math.min(MOST_SPONTANEOUS * calls[call]!, counts.spontaneous[call]!) / all;
      this.spontaneous[call] = Math.max((LEAST_SPONTANEOUS * calls[call]!) / all, share);
    }
    this.led = 1 - sum(this.spontaneous);
  }
}
