import { EventKind } from '../../../src/model/event.js';
import { Role } from '../../../src/model/exchange.js';
import type { ProcessHints } from '../../../src/reconstruct/causality/process-hints.js';
import { type Row, seeded } from './simulate.js';

/** The loop's only thread. */
const TID = 1;
const STEP_NS = 20_000;
const MS = 1e6;

interface Due {
  readonly at: number;
  readonly run: () => void;
}

/** asyncio's loop: what is ready, then what can be read, then timers; what these make ready waits for the next turn. */
class Loop {
  readonly turns: number[] = [];
  private now = 0;
  private ready: (() => void)[] = [];
  private readonly reads: Due[] = [];
  private readonly timers: Due[] = [];

  soon(run: () => void): void {
    this.ready.push(run);
  }

  /** Runs something so many turns from now. */
  later(turns: number, run: () => void): void {
    if (turns === 0) run();
    else this.soon(() => this.later(turns - 1, run));
  }

  readAt(at: number, run: () => void): void {
    this.reads.push({ at, run });
  }

  sleep(ns: number, run: () => void): void {
    this.timers.push({ at: this.now + ns, run });
  }

  /** The time, a step further: no two things happen at once. */
  tick(): number {
    this.now += STEP_NS;
    return this.now;
  }

  private takeDue(list: Due[]): Due[] {
    const due = list.filter(({ at }) => at <= this.now).sort((a, b) => a.at - b.at);
    for (const one of due) list.splice(list.indexOf(one), 1);
    return due;
  }

  run(): void {
    while (this.ready.length + this.reads.length + this.timers.length > 0) {
      if (this.ready.length === 0) {
        const next = Math.min(...[...this.reads, ...this.timers].map(({ at }) => at));
        this.now = Math.max(this.now, next);
      }
      this.turns.push(this.tick());
      const queue = this.ready;
      this.ready = [];
      for (const { run } of this.takeDue(this.reads)) queue.push(run);
      for (const { run } of this.takeDue(this.timers)) queue.push(run);
      for (const run of queue) run();
    }
  }
}

/** A service on asyncio, and what its users do. */
export interface AsyncioProgram {
  readonly users: number;
  readonly requests: number;
  readonly seed: number;
}

/**
 * Users in a closed loop ask for three pages: two calls together, two in a row, two together after a sleep of
 * 2 to 4 ms. Depths are those of aiohttp 3.8.
 */
export function asyncioService({ users, requests, seed }: AsyncioProgram): {
  rows: Row[];
  hints: ProcessHints;
} {
  const random = seeded(seed);
  const loop = new Loop();
  const rows: Row[] = [];
  let left = requests;
  const call = (truth: number, target: string, then: () => void) => {
    const row: Row = {
      role: Role.client,
      truth,
      requestStart: loop.tick(),
      requestTid: TID,
      responseStart: Number.NaN,
      responseTid: TID,
      target,
    };
    rows.push(row);
    loop.readAt(row.requestStart + (1 + 2 * random()) * MS, () => {
      row.responseStart = loop.tick();
      then();
    });
  };
  const together = (truth: number, then: () => void) => {
    let open = 2;
    for (const target of ['/stock/1', '/price/1']) {
      call(truth, target, () => {
        if (--open === 0) then();
      });
    }
  };
  const pages: Record<string, (truth: number, answer: () => void) => void> = {
    '/gather/1': (truth, answer) =>
      loop.later(3, () => together(truth, () => loop.later(3, answer))),
    '/order/1': (truth, answer) =>
      loop.later(2, () =>
        call(truth, '/stock/1', () =>
          loop.later(1, () => call(truth, '/price/1', () => loop.later(1, answer))),
        ),
      ),
    '/sleep/1': (truth, answer) =>
      loop.later(2, () =>
        loop.sleep((2 + 2 * random()) * MS, () =>
          loop.later(1, () => together(truth, () => loop.later(3, answer))),
        ),
      ),
  };
  const ask = (at: number) => {
    if (left-- <= 0) return;
    const names = Object.keys(pages);
    const target = names[Math.floor(random() * names.length)]!;
    loop.readAt(at, () => {
      const truth = rows.length;
      const row: Row = {
        role: Role.server,
        truth,
        requestStart: loop.tick(),
        requestTid: TID,
        responseStart: Number.NaN,
        responseTid: TID,
        target,
      };
      rows.push(row);
      pages[target]!(truth, () => {
        row.responseStart = loop.tick();
        ask(row.responseStart + 0.2 * MS * random());
      });
    });
  };
  for (let user = 0; user < users; user++) ask(user * 0.3 * MS);
  loop.run();
  const { turns } = loop;
  return {
    rows,
    hints: {
      count: turns.length,
      kind: new Uint8Array(turns.length).fill(EventKind.loop),
      time: Float64Array.from(turns),
      tid: new Uint32Array(turns.length).fill(TID),
      other: new Uint32Array(turns.length),
      age: new Float64Array(turns.length),
    },
  };
}
