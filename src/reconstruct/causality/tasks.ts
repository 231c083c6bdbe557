import { type GoroutineContext, MOST_STEPS } from './goroutines.js';
import type { ProcessIndex } from './process-index.js';

/**
 * From here on, tasks that were not seen when they were made: the number is one of an address (bpf/events.h); and the
 * async roots of Node, which nothing makes.
 */
const UNKNOWN = 0x80000000;

/** The requests of a task's connection, in order of time. */
type Line = readonly number[];

/**
 * By task: the requests that it answers, or that tasks made by it do. One that serves several connections at a time is
 * left out: what it makes may be for any of them, or for none.
 */
function linesOf({ exchanges: x, servers }: ProcessIndex) {
  const lines = new Map<number, number[]>();
  const shared = new Set<number>();
  for (let server = 0; server < servers.length; server++) {
    const row = servers[server]!;
    const [own, creator] = [x.response_goroutine[row]!, x.creator[row]!];
    // An unknown creator may be a callback, whose address is soon another's.
    for (const task of new Set([own, creator < UNKNOWN ? creator : 0])) {
      if (task === 0) continue;
      const line = lines.get(task);
      if (line === undefined) lines.set(task, [server]);
      else {
        line.push(server);
        if (x.connection[servers[line[0]!]!] !== x.connection[row]) shared.add(task);
      }
    }
  }
  for (const task of shared) lines.delete(task);
  return { lines: lines as ReadonlyMap<number, Line>, shared };
}

/**
 * When a task had been made, at the latest: tasks are numbered as they are made, so it was before any of a higher
 * number did anything.
 */
class MadeBefore {
  private readonly numbers: Uint32Array;
  /** By place in `numbers`: first moment of that one, or of one made later. */
  private readonly times: Float64Array;

  constructor({ exchanges: x, servers, clients }: ProcessIndex) {
    const first = new Map<number, number>();
    const see = (task: number, time: number) => {
      if (task !== 0 && task < UNKNOWN && !(first.get(task)! <= time)) first.set(task, time);
    };
    for (const row of servers) see(x.response_goroutine[row]!, x.response_start[row]!);
    for (const row of clients) see(x.request_goroutine[row]!, x.request_start[row]!);
    this.numbers = Uint32Array.from(first.keys()).sort();
    this.times = Float64Array.from(this.numbers, (task) => first.get(task)!);
    for (let at = this.times.length - 2; at >= 0; at--) {
      this.times[at] = Math.min(this.times[at]!, this.times[at + 1]!);
    }
  }

  /** Infinity where nothing is known. */
  of(task: number): number {
    if (task >= UNKNOWN) return Number.POSITIVE_INFINITY;
    let low = 0;
    let high = this.numbers.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.numbers[middle]! < task) low = middle + 1;
      else high = middle;
    }
    return this.times[low] ?? Number.POSITIVE_INFINITY;
  }
}

/** The request of a connection that was worked on at a time: the first that was not answered yet, else the last. */
function workedOn(line: Line, start: Float64Array, answered: Float64Array, time: number): number {
  let low = 0;
  let high = line.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (start[line[middle]!]! <= time) low = middle + 1;
    else high = middle;
  }
  // Several requests may have been sent ahead; they are answered one after the other.
  let at = low - 1;
  while (at > 0 && !(answered[line[at - 1]!]! < time)) at--;
  return at < 0 ? -1 : line[at]!;
}

/**
 * asyncio: the task that makes a call answers its request, or descends from the one that does, or from the one
 * that serves the connection. Tasks are told on what is sent alone, which tells them from goroutines.
 * Node: of a call and of a response to its request, the outermost promise that waits is the same one.
 *
 * @returns undefined where neither is known
 */
export function followTasks(index: ProcessIndex): GoroutineContext | undefined {
  const { exchanges: x, servers, clients, serverStart, clientStart } = index;
  const isTask = (row: number) => x.response_goroutine[row] !== 0 && x.request_goroutine[row] === 0;
  const isRoot = (row: number) =>
    x.request_goroutine[row]! >= UNKNOWN && x.caller[row] === x.request_goroutine[row];
  const hasRoots = clients.some(isRoot);
  if (!hasRoots && !servers.some(isTask)) return undefined;
  const { lines, shared } = linesOf(index);
  const made = new MadeBefore(index);
  const answered = Float64Array.from(servers, (row) => x.response_start[row]!);
  const creators = new Map<number, number>();
  const tell = (task: number, creator: number) => {
    if (creator !== 0) creators.set(task, creator);
  };
  for (const row of clients) tell(x.request_goroutine[row]!, x.creator[row]!);
  for (const row of servers) tell(x.response_goroutine[row]!, x.creator[row]!);
  const server = new Int32Array(clients.length).fill(-1);
  const steps = new Uint8Array(clients.length);
  for (let client = 0; client < clients.length; client++) {
    const row = clients[client]!;
    let time = clientStart[client]!;
    let task = x.request_goroutine[row]!;
    for (let step = 0; step <= MOST_STEPS && task !== 0; step++) {
      const line = lines.get(task);
      if (line !== undefined) {
        server[client] = workedOn(line, serverStart, answered, time);
        steps[client] = step;
        break;
      }
      time = Math.min(time, made.of(task));
      const creator = creators.get(task) ?? 0;
      // Tasks in between that never sent anything: the first of the line is known all the same.
      task = creator === 0 && task !== x.caller[row] ? x.caller[row]! : creator;
    }
  }
  const unit = hasRoots ? 'async-root' : 'task';
  return { unit, server, steps, shared, isDated: new Uint8Array(clients.length) };
}
