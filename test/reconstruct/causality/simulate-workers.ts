import { EventKind } from '../../../src/model/event.js';
import { Role } from '../../../src/model/exchange.js';
import type { ProcessHints } from '../../../src/reconstruct/causality/process-hints.js';
import { type Row, seeded } from './simulate.js';

const MAIN = 1;
const FIRST_WORKER = 10;
const STEP_NS = 20_000;
const MS = 1e6;

/** Event loops, one per thread: each runs what is due in order of time, a step for each piece. */
class Loops {
  private readonly due: { at: number; tid: number; run: () => void }[] = [];
  private readonly free = new Map<number, number>();
  private now = 0;

  /** The time of the thread that runs, a step further. */
  tick(): number {
    this.now += STEP_NS;
    return this.now;
  }

  at(tid: number, at: number, run: () => void): void {
    this.due.push({ at, tid, run });
  }

  /** On this thread, so long from now; at once where that is 0. */
  after(tid: number, ns: number, run: () => void): void {
    if (ns === 0) run();
    else this.at(tid, this.now + ns, run);
  }

  run(): void {
    const startOf = ({ at, tid }: { at: number; tid: number }) =>
      Math.max(at, this.free.get(tid) ?? 0);
    while (this.due.length > 0) {
      const next = this.due.reduce((best, one) => (startOf(one) < startOf(best) ? one : best));
      this.due.splice(this.due.indexOf(next), 1);
      this.now = startOf(next);
      next.run();
      this.free.set(next.tid, this.tick());
    }
  }
}

/** A service whose worker threads make the calls. Times are ns; 0 goes on at once. */
export interface WorkersProgram {
  readonly users: number;
  readonly requests: number;
  readonly workers: number;
  /** Between reading the request and posting the task. */
  readonly beforePost?: (random: () => number) => number;
  /** Between taking the task and the first call. */
  readonly beforeCall?: (random: () => number) => number;
  /** Between the last reply and posting the result. */
  readonly afterReply?: (random: () => number) => number;
  /** Tasks and results go through one more thread. */
  readonly relayed?: boolean;
  readonly seed: number;
}

const atOnce = () => 0;

/**
 * Users in a closed loop ask for two pages. For one, a worker makes a call and one more when that has its reply;
 * for the other, two calls together. Then it posts the result to the thread that answers.
 */
export function workersService(program: WorkersProgram): { rows: Row[]; hints: ProcessHints } {
  const { beforePost = atOnce, beforeCall = atOnce, afterReply = atOnce } = program;
  const random = seeded(program.seed);
  const loops = new Loops();
  const rows: Row[] = [];
  const messages: { time: number; tid: number; other: number; age: number }[] = [];
  let left = program.requests;

  const post = (from: number, to: number, run: () => void) => {
    const posted = loops.tick();
    loops.at(to, posted + 30_000, () => {
      const time = loops.tick();
      messages.push({ time, tid: to, other: from, age: time - posted });
      run();
    });
  };
  const call = (tid: number, truth: number, target: string, then: () => void) => {
    const requestStart = loops.tick();
    const row: Row = {
      ...{ role: Role.client, truth, target, requestStart, requestTid: tid },
      ...{ responseStart: Number.NaN, responseTid: tid },
    };
    rows.push(row);
    loops.at(tid, requestStart + (1 + 4 * random()) * MS, () => {
      row.responseStart = loops.tick();
      then();
    });
  };
  const pages: Record<string, (tid: number, truth: number, done: () => void) => void> = {
    '/row/1': (tid, truth, done) =>
      call(tid, truth, '/stock/1', () => call(tid, truth, '/price/1', done)),
    '/both/1': (tid, truth, done) => {
      let open = 2;
      const joined = () => {
        if (--open === 0) done();
      };
      call(tid, truth, '/stock/1', joined);
      call(tid, truth, '/price/1', joined);
    },
  };
  const names = Object.keys(pages);
  const relay = FIRST_WORKER + program.workers;
  const hand = (from: number, to: number, run: () => void) => {
    if (program.relayed === true) post(from, relay, () => post(relay, to, run));
    else post(from, to, run);
  };
  const ask = (at: number) => {
    if (left-- <= 0) return;
    const target = names[Math.floor(random() * names.length)]!;
    const worker = FIRST_WORKER + (left % program.workers);
    loops.at(MAIN, at, () => {
      const truth = rows.length;
      const row: Row = {
        ...{ role: Role.server, truth, target, requestStart: loops.tick(), requestTid: MAIN },
        ...{ responseStart: Number.NaN, responseTid: MAIN },
      };
      rows.push(row);
      const answer = () => {
        row.responseStart = loops.tick();
        ask(row.responseStart + 0.2 * MS * random());
      };
      const work = () =>
        loops.after(worker, beforeCall(random), () =>
          pages[target]!(worker, truth, () =>
            loops.after(worker, afterReply(random), () => hand(worker, MAIN, answer)),
          ),
        );
      loops.after(MAIN, beforePost(random), () => hand(MAIN, worker, work));
    });
  };
  for (let user = 0; user < program.users; user++) ask(user * 0.3 * MS);
  loops.run();
  messages.sort((a, b) => a.time - b.time);
  return {
    rows,
    hints: {
      count: messages.length,
      kind: new Uint8Array(messages.length).fill(EventKind.post),
      time: Float64Array.from(messages, ({ time }) => time),
      tid: Uint32Array.from(messages, ({ tid }) => tid),
      other: Uint32Array.from(messages, ({ other }) => other),
      age: Float64Array.from(messages, ({ age }) => age),
    },
  };
}
