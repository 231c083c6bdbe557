import type { Candidates } from '../candidates.js';
import type { Carried, Tokens } from './read.js';

/** Candidates with one value: more tell little. */
export const MOST_SHARERS = 3;
/** Carriers looked at per call: a value of more is no rare one. */
const MOST_LOOKS = 64;
/** Requests before and after the candidates in which a value's frequency is counted, at least. */
const LEAST_NEAR = 32;
/** Numbers this far from a value tell how probable it is by chance. */
const NEIGHBOURS = [-4, -3, -2, -1, 1, 2, 3, 4] as const;
/** So many of them carried in turn make a counter, of which at least every eighth request takes a number. */
const LEAST_IN_TURN = 3;
const MOST_PER_TURN = 8;

/** Requests by the values they carry: those of value v are list[offsets[v] .. offsets[v + 1]], by start time, each once. */
interface Carriers {
  readonly offsets: Uint32Array;
  readonly list: Uint32Array;
}

function carriersOf({ offsets, value }: Carried, values: number): Carriers {
  const last = new Int32Array(values).fill(-1);
  const counts = new Uint32Array(values + 1);
  const each = (visit: (number: number, server: number) => void) => {
    last.fill(-1);
    for (let server = 0; server + 1 < offsets.length; server++) {
      for (let at = offsets[server]!; at < offsets[server + 1]!; at++) {
        const number = value[at]!;
        if (last[number] === server) continue;
        last[number] = server;
        visit(number, server);
      }
    }
  };
  each((number) => counts[number + 1]!++);
  for (let number = 0; number < values; number++) counts[number + 1]! += counts[number]!;
  const list = new Uint32Array(counts[values]!);
  const next = counts.slice(0, -1);
  each((number, server) => {
    list[next[number]!++] = server;
  });
  return { offsets: counts, list };
}

/** How many of the sorted list[from .. to] are below `limit`, plus `from`. */
function firstNotBelow(list: Uint32Array, from: number, to: number, limit: number): number {
  let [low, high] = [from, to];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (list[middle]! < limit) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The numbers next to one that a text ends with, in its place. */
function neighboursOf(text: string): [step: number, text: string][] {
  const digits = /\d{1,15}$/.exec(text)?.[0];
  if (digits === undefined || text.startsWith('*')) return [];
  const before = text.slice(0, text.length - digits.length);
  return NEIGHBOURS.flatMap((step) => {
    const number = Number(digits) + step;
    if (number < 0) return [];
    return [[step, before + String(number).padStart(digits.length, '0')]];
  });
}

/** Which requests share a value with a call, and how probable that is by chance. */
export class Sharing {
  /** Of the value last looked up: candidates that carry it, all up to one too many, and how many requests do. */
  readonly sharers: number[] = [];
  total = 0;
  /** How many candidates would be expected to carry it if calls' values had nothing to do with their requests. */
  expected = 0;
  /** The probability that any would, 0..1. */
  chance = 0;
  /** True where it is a number that requests count up. */
  isCounted = false;
  private readonly carriers: Carriers;
  private readonly requests: number;

  constructor(
    private readonly tokens: Tokens,
    private readonly candidates: Candidates,
  ) {
    this.carriers = carriersOf(tokens.servers, tokens.values.length);
    this.requests = tokens.servers.offsets.length - 1;
  }

  /** @returns false where no request carries the value */
  lookUp(client: number, value: number): boolean {
    const { offsets, list } = this.carriers;
    const [from, to] = [offsets[value]!, offsets[value + 1]!];
    this.total = to - from;
    this.sharers.length = 0;
    if (this.total === 0) return false;
    this.findSharers(client, value, this.sharers);
    const begun = this.candidates.begun[client]!;
    const count = this.candidates.count[client]!;
    const near = Math.max(LEAST_NEAR, 2 * count);
    const first = firstNotBelow(list, from, to, begun - count - near);
    const after = firstNotBelow(list, first, to, begun + near);
    const others = Math.max(0, after - first - this.sharers.length);
    const range = Math.min(this.requests, begun + near) - Math.max(0, begun - count - near);
    const frequency = Math.min(1, others / Math.max(1, range - count));
    const byNumber = this.chanceOfNumber(client, value);
    this.expected = Math.max(count * frequency, byNumber);
    this.chance = Math.max(1 - Math.exp(-count * frequency), byNumber);
    return true;
  }

  /** Collects candidates that carry a value, until they are too many to tell anything. */
  private findSharers(client: number, value: number, out: number[]): void {
    const { offsets, list } = this.carriers;
    const { begun } = this.candidates;
    const from = offsets[value]!;
    let at = firstNotBelow(list, from, offsets[value + 1]!, begun[client]!) - 1;
    for (let looks = 0; at >= from && looks < MOST_LOOKS; at--, looks++) {
      if (out.length > MOST_SHARERS) return;
      if (this.candidates.has(client, list[at]!)) out.push(list[at]!);
    }
  }

  /**
   * The chance that a number is carried because of those next to it: the share of them that candidates
   * carry. Where requests count up, the numbers next to it are carried by those that began next to it:
   * if calls count up too, beside them, theirs are always carried, and tell nothing.
   */
  private chanceOfNumber(client: number, value: number): number {
    const sharer = this.sharers[0];
    let [looked, shared, inTurn] = [0, 0, 0];
    for (const [step, text] of neighboursOf(this.tokens.values[value]!)) {
      looked++;
      const neighbour = this.tokens.numberOf(text);
      if (neighbour === undefined) continue;
      const found: number[] = [];
      this.findSharers(client, neighbour, found);
      if (found.length > 0) shared++;
      if (sharer !== undefined && this.isInTurn(neighbour, sharer, step)) inTurn++;
    }
    this.isCounted = inTurn >= LEAST_IN_TURN;
    if (this.isCounted) return 1;
    return looked === 0 ? 0 : shared / looked;
  }

  /** True where a request that began a few before or after `server`, as its number says, carries the value. */
  private isInTurn(value: number, server: number, step: number): boolean {
    const { offsets, list } = this.carriers;
    const reach = MOST_PER_TURN * step;
    const [least, most] = step > 0 ? [server + 1, server + reach] : [server + reach, server - 1];
    const at = firstNotBelow(list, offsets[value]!, offsets[value + 1]!, least);
    return at < offsets[value + 1]! && list[at]! <= most;
  }
}
