import { EventKind } from '../../model/event.js';
import type { ProcessHints } from './process-hints.js';
import type { ProcessIndex } from './process-index.js';
import { CauseKind, type ThreadContext } from './thread-context.js';
import { orderByTime } from './time-order.js';

/**
 * Event loops that put what they read into queues act on it a fixed number of turns later:
 * asyncio answers three turns after the last reply. So the last thing read says little, and
 * what was read that many turns ago says a lot.
 */

/** Turns between cause and effect that are tried. */
const MOST_TURNS = 8;
/** A distance counts where at least this share of effects has an event that many turns before. */
const LEAST_SHARE = 0.9;
/** And where that is at least this much more often than by chance. */
const LEAST_LIFT = 0.1;
const LEAST_EFFECTS = 20;

/** What was read, in order of time: its turn, CauseKind and subject. */
interface Reads {
  readonly turn: Int32Array;
  readonly kind: Uint8Array;
  readonly subject: Int32Array;
  /** Per turn: first read of it; one more entry at the end. */
  readonly first: Int32Array;
}

/** Gives every moment its turn: how many times epoll_wait() had returned by then. */
function turnFinder(hints: ProcessHints): { of: (time: number) => number; count: number } {
  const times: number[] = [];
  for (let i = 0; i < hints.count; i++) {
    if (hints.kind[i] === EventKind.loop) times.push(hints.time[i]!);
  }
  const of = (time: number) => {
    let low = 0;
    let high = times.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (times[middle]! <= time) low = middle + 1;
      else high = middle;
    }
    return low;
  };
  return { of, count: times.length + 1 };
}

function collectReads(index: ProcessIndex, turnOf: (time: number) => number, turns: number): Reads {
  const { exchanges: x, servers, clients } = index;
  const count = servers.length + clients.length;
  const time = Float64Array.from({ length: count }, (_, i) =>
    i < servers.length
      ? x.request_end[servers[i]!]!
      : x.response_end[clients[i - servers.length]!]!,
  );
  const order = orderByTime(time).filter((i) => !Number.isNaN(time[i]!));
  const turn = Int32Array.from(order, (i) => turnOf(time[i]!));
  const first = new Int32Array(turns + 1);
  for (const at of turn) first[at + 1]!++;
  for (let at = 0; at < turns; at++) first[at + 1]! += first[at]!;
  return {
    turn,
    kind: Uint8Array.from(order, (i) => (i < servers.length ? CauseKind.request : CauseKind.reply)),
    subject: Int32Array.from(order, (i) => (i < servers.length ? i : i - servers.length)),
    first,
  };
}

const readsIn = ({ first }: Reads, turn: number) =>
  turn < 0 ? 0 : first[turn + 1]! - first[turn]!;

/** The distance in turns at which most of the effects have a cause; -1 where none stands out. */
function learnDistance(reads: Reads, effects: Int32Array): number {
  if (effects.length < LEAST_EFFECTS) return -1;
  const shares = Array.from({ length: MOST_TURNS }, (_, distance) => {
    let found = 0;
    for (const turn of effects) if (readsIn(reads, turn - distance) > 0) found++;
    return found / effects.length;
  });
  const best = shares.indexOf(Math.max(...shares));
  const others = shares.filter((_, distance) => distance !== best);
  const chance = others.reduce((sum, share) => sum + share, 0) / others.length;
  return shares[best]! >= LEAST_SHARE && shares[best]! - chance >= LEAST_LIFT ? best : -1;
}

/** Effects of one turn, in order, with the reads that caused them: one for all, or as many as effects. */
function matchInOrder(
  reads: Reads,
  turn: number,
  effects: readonly number[],
  isMeant: (at: number) => boolean,
) {
  const causes: number[] = [];
  if (turn >= 0) {
    for (let at = reads.first[turn]!; at < reads.first[turn + 1]!; at++) {
      if (isMeant(at)) causes.push(at);
    }
  }
  if (causes.length === effects.length) return causes;
  return causes.length === 1 ? effects.map(() => causes[0]!) : undefined;
}

/** Numbers of effects by turn, in order of time. */
function byTurn(turns: Int32Array): Map<number, number[]> {
  const found = new Map<number, number[]>();
  turns.forEach((turn, i) => {
    const list = found.get(turn);
    if (list === undefined) found.set(turn, [i]);
    else list.push(i);
  });
  return found;
}

function placeCalls(
  index: ProcessIndex,
  context: ThreadContext,
  reads: Reads,
  turns: Int32Array,
): void {
  const distance = learnDistance(reads, turns);
  if (distance < 1) return;
  context.causeKind.fill(CauseKind.none);
  context.cause.fill(-1);
  context.before.fill(-1);
  for (const [turn, calls] of byTurn(turns)) {
    // Calls to one callee follow each other in the order of their causes.
    const groups = new Map<string, number[]>();
    const { exchanges: x } = index;
    for (const client of calls) {
      const row = index.clients[client]!;
      const callee = `${x.remote_address[row]}:${x.remote_port[row]}`;
      const list = groups.get(callee);
      if (list === undefined) groups.set(callee, [client]);
      else list.push(client);
    }
    const last = new Map<number, number>();
    for (const group of groups.values()) {
      const causes = matchInOrder(reads, turn - distance, group, () => true);
      group.forEach((client, i) => {
        const at = causes?.[i];
        if (at === undefined) return;
        context.causeKind[client] = reads.kind[at]!;
        context.cause[client] = reads.subject[at]!;
        context.before[client] = last.get(at) ?? -1;
        last.set(at, client);
      });
    }
  }
}

function placeResponses(context: ThreadContext, reads: Reads, turns: Int32Array): void {
  const distance = learnDistance(reads, turns);
  if (distance < 1) return;
  context.closes.fill(-1);
  context.lastKind.fill(CauseKind.none);
  context.last.fill(-1);
  for (const [turn, servers] of byTurn(turns)) {
    const causes = matchInOrder(
      reads,
      turn - distance,
      servers,
      (at) => reads.kind[at] === CauseKind.reply,
    );
    if (causes === undefined || causes.length !== new Set(causes).size) continue;
    servers.forEach((server, i) => {
      const client = reads.subject[causes[i]!]!;
      context.lastKind[server] = CauseKind.reply;
      context.last[server] = client;
      context.closes[client] = server;
    });
  }
}

/**
 * Where the turns of an event loop were recorded and causes lie a fixed number of turns before
 * their effects, puts those in the place of what was read last. Changes `context`.
 */
export function applyTurns(index: ProcessIndex, context: ThreadContext, hints: ProcessHints): void {
  const turns = turnFinder(hints);
  if (turns.count < 2) return;
  const { exchanges: x, servers, clients } = index;
  const reads = collectReads(index, turns.of, turns.count);
  const sent = Int32Array.from(clients, (row) => turns.of(x.request_start[row]!));
  const answered = Int32Array.from(servers, (row) =>
    Number.isNaN(x.response_start[row]!) ? -1 : turns.of(x.response_start[row]!),
  );
  placeCalls(index, context, reads, sent);
  placeResponses(context, reads, answered);
}
