import type { BudgetDetail } from '../model/event.js';
import { SAMPLE_ALL } from '../model/sample.js';
import type { Cost } from './cost.js';
import type { Throttle } from './source.js';

/** What recording may cost; undefined: as much as it takes. */
export interface BudgetLimits {
  /** Share of one processor, of the recorder and its kernel programs together. */
  readonly maxCpu?: number;
  readonly maxEventsPerSecond?: number;
  /** Bytes per second, before compression. */
  readonly maxBytesPerSecond?: number;
}

/** One step of the budget and all before it. */
export interface BudgetStep extends Throttle {
  readonly name: string;
  /** No process gives hints. */
  readonly hintsPaused: boolean;
}

/** What is kept of a head when heads are cut: start lines, and the headers that usually come first. */
const SHORT_HEAD = 128;
/** Each further step keeps half of the connections that the one before kept. */
const HALVINGS = 12;

/**
 * The steps in their order, the first with everything: hints go first, because without them traces
 * are only less sure; then what heads of healthy messages hold behind the start line; then
 * connections, half of them with every step.
 */
export function budgetSteps(snaplen: number): BudgetStep[] {
  const full = { headLimit: snaplen, sampleLimit: SAMPLE_ALL, hintsPaused: false };
  const noHints = { ...full, hintsPaused: true };
  const short = { ...noHints, headLimit: Math.min(snaplen, SHORT_HEAD) };
  const sampled = Array.from({ length: HALVINGS }, (_, i) => ({
    ...short,
    name: `sample-1/${2 ** (i + 1)}`,
    sampleLimit: Math.floor(SAMPLE_ALL / 2 ** (i + 1)),
  }));
  return [
    { ...full, name: 'full' },
    { ...noHints, name: 'no-hints' },
    { ...short, name: 'short-heads' },
    ...sampled,
  ];
}

/** Costs are averaged over about this long: one busy second is no reason to lose detail. */
const AVERAGE_SECONDS = 3;
/** After a step, its effect is awaited this long before the next one down. */
const DOWN_EVERY_SECONDS = 2;
/** A step up needs room for this long, doubled each time one had to be taken back. */
const UP_AFTER_SECONDS = 10;
const UP_AFTER_MOST = 600;
/** Room: the share of the limit that is expected after the step up. */
const UP_BELOW = 0.8;
/** What hints, and whole heads, are taken to add to the cost. */
const COST_OF_HINTS = 1.3;
const COST_OF_HEADS = 1.5;
/** Far over the limit, several steps are taken at once. */
const FAR_OVER = 2;

interface Load {
  /** Measured share of the limit that is closest to its end. */
  readonly ratio: number;
  readonly reason: string;
}

const percent = (share: number) => `${(share * 100).toPrecision(3)} %`;

function worstOf(cost: Cost, limits: BudgetLimits): Load {
  const loads: Load[] = [];
  const { maxCpu, maxEventsPerSecond: maxEvents, maxBytesPerSecond: maxBytes } = limits;
  if (maxCpu !== undefined) {
    const reason = `CPU ${percent(cost.cpuShare)} of one processor, limit ${percent(maxCpu)}`;
    loads.push({ ratio: cost.cpuShare / maxCpu, reason });
  }
  if (maxEvents !== undefined) {
    const reason = `${Math.round(cost.eventsPerSecond)} events/s, limit ${maxEvents}`;
    loads.push({ ratio: cost.eventsPerSecond / maxEvents, reason });
  }
  if (maxBytes !== undefined) {
    const reason = `${Math.round(cost.bytesPerSecond)} bytes/s written, limit ${maxBytes}`;
    loads.push({ ratio: cost.bytesPerSecond / maxBytes, reason });
  }
  return loads.reduce((worst, load) => (load.ratio > worst.ratio ? load : worst), {
    ratio: 0,
    reason: 'no limit is set',
  });
}

/**
 * Keeps the cost of recording below its limits by stepping down, and steps up again when
 * there has been room for a while. Pure: time comes with the costs.
 */
export class Budget {
  private readonly steps: readonly BudgetStep[];
  private average: Cost | undefined;
  private sinceStep = Infinity;
  private roomFor = 0;
  private upAfter = UP_AFTER_SECONDS;
  private lastWasUp = false;
  private reason = 'start';
  private at = 0;

  constructor(
    private limits: BudgetLimits,
    snaplen: number,
  ) {
    this.steps = budgetSteps(snaplen);
  }

  /** How many steps down, 0 none. */
  get level(): number {
    return this.at;
  }

  get step(): BudgetStep {
    return this.steps[this.at]!;
  }

  get detail(): BudgetDetail {
    const { hintsPaused, headLimit, sampleLimit } = this.step;
    return { level: this.at, hints: !hintsPaused, headLimit, sampleLimit, reason: this.reason };
  }

  /** Other limits from now on; the steps taken so far stay until they are not needed. */
  configure(limits: BudgetLimits): void {
    this.limits = limits;
  }

  /** Takes a measurement. @returns true if the step changed */
  weigh(cost: Cost): boolean {
    this.average = blend(this.average, cost);
    this.sinceStep += cost.seconds;
    const { ratio, reason } = worstOf(this.average, this.limits);
    const isRoom = this.at > 0 && this.expected(this.at - 1, ratio) < UP_BELOW;
    this.roomFor = isRoom ? this.roomFor + cost.seconds : 0;
    if (ratio > 1 && this.sinceStep >= DOWN_EVERY_SECONDS) return this.down(ratio, reason);
    if (this.roomFor >= this.upAfter) return this.up(ratio, reason);
    return false;
  }

  /** The share of the limit that step `to` above this one would take, from what is left out now. */
  private expected(to: number, ratio: number): number {
    const share = this.step.sampleLimit / SAMPLE_ALL;
    const next = this.steps[to]!;
    const regained = share === 1 ? 0 : (next.sampleLimit / SAMPLE_ALL - share) / (1 - share);
    const { eventsPerSecond = 0, leftOutPerSecond = 0 } = this.average ?? {};
    const traffic = 1 + (leftOutPerSecond / Math.max(1, eventsPerSecond)) * regained;
    const heads = next.headLimit > this.step.headLimit ? COST_OF_HEADS : 1;
    const hints = this.step.hintsPaused && !next.hintsPaused ? COST_OF_HINTS : 1;
    return ratio * traffic * heads * hints;
  }

  private up(ratio: number, reason: string): boolean {
    let to = this.at - 1;
    while (to > 0 && this.expected(to - 1, ratio) < UP_BELOW) to--;
    return this.move(to, reason, true);
  }

  private down(ratio: number, reason: string): boolean {
    const last = this.steps.length - 1;
    if (this.at === last) return false;
    // A step up that has to be taken back at once is tried more rarely.
    if (this.lastWasUp) this.upAfter = Math.min(UP_AFTER_MOST, this.upAfter * 2);
    const firstSample = this.steps.findIndex(({ sampleLimit }) => sampleLimit !== SAMPLE_ALL);
    const halvings = Math.max(1, Math.ceil(Math.log2(ratio)));
    const jump = ratio > FAR_OVER ? Math.max(firstSample, this.at) + halvings - 1 : this.at + 1;
    return this.move(Math.min(last, Math.max(this.at + 1, jump)), reason, false);
  }

  private move(to: number, reason: string, isUp: boolean): boolean {
    this.lastWasUp = isUp;
    this.at = to;
    this.reason = reason;
    this.sinceStep = 0;
    this.roomFor = 0;
    this.average = undefined;
    if (to === 0) this.upAfter = UP_AFTER_SECONDS;
    return true;
  }
}

/** An average that forgets: weight falls by 1/e every AVERAGE_SECONDS. */
function blend(average: Cost | undefined, cost: Cost): Cost {
  if (average === undefined) return cost;
  const keep = Math.exp(-cost.seconds / AVERAGE_SECONDS);
  const mix = (old: number, now: number) => keep * old + (1 - keep) * now;
  return {
    seconds: cost.seconds,
    leftOutPerSecond: mix(average.leftOutPerSecond, cost.leftOutPerSecond),
    cpuShare: mix(average.cpuShare, cost.cpuShare),
    eventsPerSecond: mix(average.eventsPerSecond, cost.eventsPerSecond),
    bytesPerSecond: mix(average.bytesPerSecond, cost.bytesPerSecond),
  };
}
