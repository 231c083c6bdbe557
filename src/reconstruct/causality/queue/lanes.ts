import type { Kinds } from '../kinds.js';
import { originTime } from '../origins.js';
import type { ProcessIndex } from '../process-index.js';
import type { ThreadContext } from '../thread-context.js';
import { howMany, orderByTime } from '../time-order.js';
import { CONTRADICTED, type Lane, UNKNOWN } from './lane.js';
import type { Triggers } from './triggers.js';

/** Triggers that a call looks back at, at most: one request that never ends must not make all the others rivals. */
const MOST_TRIGGERS = 1500;

/** The calls of a lane, by the time at which they were decided on. */
export interface LaneCalls {
  readonly clients: Int32Array;
  readonly time: Float64Array;
  /** What may have led to them. */
  readonly triggers: Triggers;
  /** When the oldest trigger may have come, ns. */
  readonly from: number;
}

/** At most `most` calls in a row, from the middle. */
export function pieceOf(lane: LaneCalls, most: number): LaneCalls {
  const { clients, time } = lane;
  if (clients.length <= most) return lane;
  const start = (clients.length - most) >> 1;
  return {
    ...lane,
    clients: clients.subarray(start, start + most),
    time: time.subarray(start, start + most),
    from: time[start]!,
  };
}

/**
 * Shares the calls out to lanes.
 *
 * @param laneOf per client: number of its lane
 * @param triggersOf what may lead to the calls of a lane
 */
export function callsByLane(
  index: ProcessIndex,
  context: ThreadContext,
  laneOf: (client: number) => number,
  triggersOf: (lane: number) => Triggers,
): LaneCalls[] {
  const lists = new Map<number, number[]>();
  for (let client = 0; client < index.clients.length; client++) {
    const name = laneOf(client);
    const list = lists.get(name);
    if (list === undefined) lists.set(name, [client]);
    else list.push(client);
  }
  return [...lists].map(([lane, list]) => {
    const times = Float64Array.from(list, (client) => originTime(index, context.origin, client));
    const order = orderByTime(times);
    return {
      clients: Int32Array.from(order, (i) => list[i]!),
      time: Float64Array.from(order, (i) => times[i]!),
      triggers: triggersOf(lane),
      from: Number.NEGATIVE_INFINITY,
    };
  });
}

/** Per call: when it was made, or when the oldest request began that outlives it: what may still cause calls. */
function oldestOpen({ serverStart, serverEnd }: ProcessIndex, times: Float64Array): Float64Array {
  const out = new Float64Array(times.length);
  let oldest = 0;
  for (let call = 0; call < times.length; call++) {
    const at = times[call]!;
    while (oldest < serverStart.length && serverEnd[oldest]! < at) oldest++;
    out[call] = oldest < serverStart.length ? Math.min(at, serverStart[oldest]!) : at;
  }
  return out;
}

/** Poses a lane. @param anchors per client: the server known to be its parent; -1 none */
export function poseLane(
  index: ProcessIndex,
  calls: Kinds,
  { clients, time, triggers }: LaneCalls,
  anchors: Int32Array,
  triggerServer: Int32Array,
): Lane {
  const oldest = oldestOpen(index, time);
  const end = Uint32Array.from(time, (at) => howMany(triggers.time, at));
  let least = 0;
  const first = Uint32Array.from(oldest, (at, call) => {
    const reach = Math.max(0, end[call]! - MOST_TRIGGERS);
    least = Math.max(least, reach, howMany(triggers.time, at));
    return Math.min(least, end[call]!);
  });
  const { serverEnd, clientStart } = index;
  const agreement = (call: number, from: number, to: number, out: Float64Array) => {
    const anchor = anchors[clients[call]!]!;
    const at = clientStart[clients[call]!]!;
    for (let trigger = from; trigger < to; trigger++) {
      const server = triggerServer[trigger]!;
      let fits = 1;
      if (anchor !== -1) fits = server === anchor ? 1 : server === -1 ? UNKNOWN : CONTRADICTED;
      else if (server !== -1 && serverEnd[server]! < at) fits = CONTRADICTED;
      out[trigger - from] = fits;
    }
  };
  return {
    triggerKind: triggers.kind,
    triggerServer,
    callKind: Uint32Array.from(clients, (client) => calls.of[client]!),
    first,
    end,
    agreement,
  };
}
