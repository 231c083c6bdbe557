import type { Kinds } from '../kinds.js';
import type { ProcessIndex } from '../process-index.js';
import type { TurnEvents } from './numbers.js';

/** Turns between cause and effect that are looked at: 0 up to one less. */
export const TURNS_SEEN = 10;

const PLACES = 3;
const LONGEST_GROUP = 64;
/** How a reply stands to those of the calls that were made together with its own. */
export const Place = { alone: 0, last: 1, earlier: 2 } as const;

/**
 * Of calls made together only the last reply leads on.
 *
 * @param pair per client: the call made right before it for the same cause; -1 none
 * @param end per client: when its reply was read
 * @returns per client: Place
 */
export function placesOf(pair: Int32Array, end: Float64Array): Uint8Array {
  const group = pair.map((_, client) => {
    let first = client;
    for (let step = 0; step < LONGEST_GROUP && pair[first]! >= 0; step++) first = pair[first]!;
    return first;
  });
  const last = Float64Array.from(end);
  const size = new Uint32Array(pair.length).fill(1);
  for (let client = 0; client < pair.length; client++) {
    const first = group[client]!;
    if (first === client) continue;
    last[first] = Math.max(last[first]!, end[client]!);
    size[first]!++;
  }
  return Uint8Array.from(end, (time, client) => {
    const first = group[client]!;
    if (size[first] === 1) return Place.alone;
    return time >= last[first]! ? Place.last : Place.earlier;
  });
}

/**
 * What is learned together: kind of cause (a route's request, the reply to a kind of call), kind of effect
 * (a call of a kind, a route's response), turns in between, and whether a call goes out on the connection that the reply came on.
 */
export class TurnClasses {
  readonly causes: number;
  readonly effects: number;
  private readonly connection: Int32Array;

  constructor(
    index: ProcessIndex,
    readonly calls: Kinds,
    readonly requests: Kinds,
    /** Per client: how its reply stands to those of the calls made with it. */
    private readonly places: Uint8Array,
  ) {
    this.causes = requests.count + PLACES * calls.count;
    this.effects = calls.count + requests.count;
    const known = new Map<bigint, number>();
    this.connection = Int32Array.from(index.clients, (row) => {
      const cookie = index.exchanges.connection[row]!;
      const number = known.get(cookie) ?? known.size;
      known.set(cookie, number);
      return number;
    });
  }

  causeKind(reads: TurnEvents, at: number): number {
    const subject = reads.subject[at]!;
    if (reads.isServer[at] === 1) return this.requests.of[subject]!;
    return this.requests.count + PLACES * this.calls.of[subject]! + this.places[subject]!;
  }

  effectKind(writes: TurnEvents, at: number): number {
    const subject = writes.subject[at]!;
    if (writes.isServer[at] === 1) return this.calls.count + this.requests.of[subject]!;
    return this.calls.of[subject]!;
  }

  /** Route of a kind of response; -1 for calls. */
  routeOf(effectKind: number): number {
    return effectKind - this.calls.count;
  }

  keyOf(cause: number, effect: number, turns: number, same: number): number {
    return ((cause * this.effects + effect) * TURNS_SEEN + turns) * 2 + same;
  }

  /** Class of a link; -1 where it cannot be: later, too long before, or another request's answer. */
  of(reads: TurnEvents, cause: number, writes: TurnEvents, effect: number): number {
    const turns = writes.turn[effect]! - reads.turn[cause]!;
    if (turns < 0 || turns >= TURNS_SEEN || reads.time[cause]! > writes.time[effect]!) return -1;
    const isAnswer = writes.isServer[effect] === 1;
    const [from, to] = [reads.subject[cause]!, writes.subject[effect]!];
    let same = 0;
    if (reads.isServer[cause] === 1) {
      if (isAnswer && from !== to) return -1;
    } else if (!isAnswer) {
      if (from === to) return -1;
      same = this.connection[from] === this.connection[to] ? 1 : 0;
    }
    return this.keyOf(this.causeKind(reads, cause), this.effectKind(writes, effect), turns, same);
  }
}

/** Reads from which on, and up to which, causes of a turn's effects lie: by turn, as a moving window. */
export class CauseWindow {
  from = 0;
  to = 0;

  constructor(private readonly reads: TurnEvents) {}

  moveTo(turn: number): void {
    const { turn: turns, count } = this.reads;
    while (this.from > 0 && turns[this.from - 1]! > turn - TURNS_SEEN) this.from--;
    while (this.from < count && turns[this.from]! <= turn - TURNS_SEEN) this.from++;
    while (this.to > 0 && turns[this.to - 1]! > turn) this.to--;
    while (this.to < count && turns[this.to]! <= turn) this.to++;
  }
}

/** First event of each turn that has any, and the number of events at the end. */
export function turnStarts({ turn, count }: TurnEvents): Int32Array {
  const starts: number[] = [];
  for (let at = 0; at < count; at++) if (at === 0 || turn[at] !== turn[at - 1]) starts.push(at);
  starts.push(count);
  return Int32Array.from(starts);
}
