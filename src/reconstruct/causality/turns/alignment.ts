/**
 * Which of the causes before a turn led to which of the effects in it. Loops run what is ready in the order
 * in which it became ready, so effects stand in the order of their causes: a cause leads to a run of
 * neighbouring effects, or to none, and the runs follow each other as the causes do. What no known cause led to (a
 * timer fired, another thread was done) may stand anywhere. All such ways are weighed at once, by a
 * forward-backward recursion as for hidden Markov models (Rabiner 1989).
 */

/** Effects that one cause leads to in one turn, at most. */
const LONGEST_RUN = 12;

export interface AlignmentInput {
  readonly effects: number;
  readonly causes: number;
  /** Per effect: its kind. */
  readonly kind: Int32Array;
  /** Row by effect: odds that the cause led to it; 0 impossible. */
  readonly odds: Float64Array;
  /** The same where the run of that cause has one of the kind already. */
  readonly again: Float64Array;
  /** Row by effect: share of runs of that cause's kind that have this effect's kind after that of the effect before. */
  readonly order: Float64Array;
  /** Per effect: weight of no known cause, above 0. */
  readonly hidden: Float64Array;
  /** Per effect: odds that what led to the effect before, unknown too, led to this one as well. */
  readonly together: Float64Array;
  /** Per effect: what these are multiplied by where the run without a known cause has one of the kind already. */
  readonly hiddenAgain: Float64Array;
}

export interface Alignment {
  /** Row by effect: probability that the cause led to it, 0..1. */
  readonly link: Float64Array;
  /** The same, only where it is not the first of its kind in the run. */
  readonly repeat: Float64Array;
  /** The same, only where the cause led to the effect before as well. */
  readonly followed: Float64Array;
  /** Per effect: probability that no known cause did. */
  readonly hidden: Float64Array;
  /** Per effect: probability that it shares its unknown cause with the effect before. */
  readonly together: Float64Array;
  /** The same, only where it is not the first of its kind in the run. */
  readonly hiddenRepeat: Float64Array;
}

/** Weights of all runs, each effect's divided by its greatest, so that products stay in range. */
class Runs {
  private readonly scale: Float64Array;
  private readonly isRepeat: Uint8Array;

  constructor(private readonly input: AlignmentInput) {
    const { effects, causes, odds, hidden, kind } = input;
    this.scale = Float64Array.from(hidden, (weight, effect) => {
      let most = weight;
      for (let cause = 0; cause < causes; cause++) {
        most = Math.max(most, odds[effect * causes + cause]!);
      }
      return 1 / most;
    });
    // By effect and length: whether the last of the run has a kind that the run had before.
    this.isRepeat = new Uint8Array(effects * (LONGEST_RUN + 1));
    for (let last = 0; last < effects; last++) {
      for (let length = 2; length <= Math.min(LONGEST_RUN, last + 1); length++) {
        const first = last - length + 1;
        const inner = length > 2 && this.isRepeat[last * (LONGEST_RUN + 1) + length - 1] === 1;
        const repeats = inner || kind[first] === kind[last];
        this.isRepeat[last * (LONGEST_RUN + 1) + length] = repeats ? 1 : 0;
      }
    }
  }

  repeats(last: number, length: number): boolean {
    return this.isRepeat[last * (LONGEST_RUN + 1) + length] === 1;
  }

  /** What the last effect of a run of this length multiplies its weight by. */
  step(cause: number, last: number, length: number): number {
    const { causes, odds, again, order } = this.input;
    const at = last * causes + cause;
    const from = this.repeats(last, length) ? again : odds;
    return from[at]! * this.scale[last]! * (length === 1 ? 1 : order[at]!);
  }

  hiddenStep(last: number, length: number): number {
    const { hidden, together, hiddenAgain } = this.input;
    if (length === 1) return hidden[last]! * this.scale[last]!;
    const again = this.repeats(last, length) ? hiddenAgain[last]! : 1;
    return together[last]! * again * this.scale[last]!;
  }
}

/**
 * Per effect that is next and cause that was used last (0 none, then from 1): the weight of all ways to get
 * there, and of all ways to go on.
 */
class Recursion {
  readonly width: number;
  readonly before: Float64Array;
  readonly after: Float64Array;
  /** Per effect that is next: logarithm of what its row was divided by. */
  readonly beforeScale: Float64Array;
  readonly afterScale: Float64Array;

  constructor(
    private readonly input: AlignmentInput,
    private readonly runs: Runs,
  ) {
    this.width = input.causes + 1;
    this.before = new Float64Array((input.effects + 1) * this.width);
    this.after = new Float64Array((input.effects + 1) * this.width);
    this.beforeScale = new Float64Array(input.effects + 1);
    this.afterScale = new Float64Array(input.effects + 1);
    this.goForward();
    this.goBackward();
  }

  private longest(first: number): number {
    return Math.min(LONGEST_RUN, this.input.effects - first);
  }

  /** Divides a row by its greatest entry, and with it the rows after it that runs still lead to or from. */
  private rescale(rows: Float64Array, row: number): number {
    const { width } = this;
    let most = 0;
    for (let at = row * width; at < (row + 1) * width; at++) most = Math.max(most, rows[at]!);
    if (most === 0 || most === 1) return 0;
    const end = Math.min(rows.length, (row + LONGEST_RUN + 1) * width);
    for (let at = row * width; at < end; at++) rows[at]! /= most;
    return Math.log(most);
  }

  private goForward(): void {
    const { before, width, runs } = this;
    before[0] = 1;
    let scale = 0;
    for (let first = 0; first <= this.input.effects; first++) {
      scale += this.rescale(before, first);
      this.beforeScale[first] = scale;
      let weight = 1;
      for (let length = 1; length <= this.longest(first); length++) {
        weight *= runs.hiddenStep(first + length - 1, length);
        if (weight === 0) break;
        for (let at = 0; at < width; at++) {
          before[(first + length) * width + at]! += before[first * width + at]! * weight;
        }
      }
      let sum = 0;
      for (let cause = 0; cause < width - 1; cause++) {
        sum += before[first * width + cause]!;
        this.visit(first, cause, (length, run) => {
          before[(first + length) * width + cause + 1]! += sum * run;
        });
      }
    }
  }

  private goBackward(): void {
    const { after, width, runs, input } = this;
    after.fill(1, input.effects * width);
    let scale = 0;
    for (let first = input.effects - 1; first >= 0; first--) {
      let sum = 0;
      for (let cause = width - 2; cause >= -1; cause--) {
        let hidden = 0;
        let weight = 1;
        for (let length = 1; length <= this.longest(first); length++) {
          weight *= runs.hiddenStep(first + length - 1, length);
          hidden += weight * after[(first + length) * width + cause + 1]!;
        }
        after[first * width + cause + 1] = hidden + sum;
        if (cause < 0) break;
        this.visit(first, cause, (length, run) => {
          sum += run * after[(first + length) * width + cause + 1]!;
        });
      }
      const more = this.rescale(after, first);
      scale += more;
      this.afterScale[first] = scale;
      // The rows after it are divided too, and count from here on.
      for (let row = first + 1; row <= Math.min(input.effects, first + LONGEST_RUN); row++) {
        this.afterScale[row] = scale;
      }
    }
  }

  /** Visits the runs of a cause that begin with one effect. */
  visit(first: number, cause: number, see: (length: number, weight: number) => void): void {
    let weight = 1;
    for (let length = 1; length <= this.longest(first); length++) {
      weight *= this.runs.step(cause, first + length - 1, length);
      if (weight === 0) return;
      see(length, weight);
    }
  }
}

/** @returns probabilities of every link; all hidden where nothing else is possible */
export function align(input: AlignmentInput): Alignment {
  const { effects, causes } = input;
  const runs = new Runs(input);
  const recursion = new Recursion(input, runs);
  const { before, after, width } = recursion;
  const link = new Float64Array(effects * causes);
  const repeat = new Float64Array(effects * causes);
  const followed = new Float64Array(effects * causes);
  const hidden = new Float64Array(effects);
  const together = new Float64Array(effects);
  const hiddenRepeat = new Float64Array(effects);
  const total = after[0]!;
  const scale = recursion.afterScale[0]!;
  const scaled = (first: number, next: number) =>
    Math.exp(recursion.beforeScale[first]! + recursion.afterScale[next]! - scale) / total;
  if (!(total > 0)) {
    return { link, repeat, followed, hidden: hidden.fill(1), together, hiddenRepeat };
  }
  for (let first = 0; first < effects; first++) {
    let sum = 0;
    for (let cause = 0; cause < causes; cause++) {
      sum += before[first * width + cause]!;
      recursion.visit(first, cause, (length, weight) => {
        const next = first + length;
        const share = sum * weight * after[next * width + cause + 1]! * scaled(first, next);
        for (let at = first; at < first + length; at++) {
          link[at * causes + cause]! += share;
          if (at > first) followed[at * causes + cause]! += share;
          if (runs.repeats(at, at - first + 1)) repeat[at * causes + cause]! += share;
        }
      });
    }
    let weight = 1;
    for (let length = 1; length <= Math.min(LONGEST_RUN, effects - first); length++) {
      weight *= runs.hiddenStep(first + length - 1, length);
      if (weight === 0) break;
      let share = 0;
      for (let at = 0; at < width; at++) {
        share += before[first * width + at]! * after[(first + length) * width + at]!;
      }
      share *= weight * scaled(first, first + length);
      for (let at = first; at < first + length; at++) {
        hidden[at]! += share;
        if (at > first) together[at]! += share;
        if (runs.repeats(at, at - first + 1)) hiddenRepeat[at]! += share;
      }
    }
  }
  return { link, repeat, followed, hidden, together, hiddenRepeat };
}
