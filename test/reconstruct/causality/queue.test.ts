import { describe, expect, it } from 'vitest';
import { Role } from '../../../src/model/exchange.js';
import { VerdictCode } from '../../../src/reconstruct/causality/decide.js';
import { inferCauses } from '../../../src/reconstruct/causality/infer.js';
import { callKinds, requestKinds } from '../../../src/reconstruct/causality/kinds.js';
import { threadMarks } from '../../../src/reconstruct/causality/marks.js';
import { originKinds } from '../../../src/reconstruct/causality/origins.js';
import { NO_HINTS } from '../../../src/reconstruct/causality/process-hints.js';
import { indexProcess } from '../../../src/reconstruct/causality/process-index.js';
import { followResponses } from '../../../src/reconstruct/causality/queue/responses.js';
import { findTriggers } from '../../../src/reconstruct/causality/queue/triggers.js';
import { replayMarks } from '../../../src/reconstruct/causality/thread-context.js';
import { type Row, seeded, tableOf } from './simulate.js';

const MS = 1e6;
const LOOP = 7;

interface Job {
  readonly at: number;
  readonly run: (now: number) => void;
}

/** Runs jobs in order of time; of one moment in the order in which they were added. */
class Clock {
  private readonly jobs: Job[] = [];

  at(at: number, run: (now: number) => void): void {
    let place = this.jobs.length;
    while (place > 0 && this.jobs[place - 1]!.at > at) place--;
    this.jobs.splice(place, 0, { at, run });
  }

  run(): void {
    for (let job = this.jobs.shift(); job !== undefined; job = this.jobs.shift()) job.run(job.at);
  }
}

function server(rows: Row[], target: string, now: number): Row {
  const row: Row = {
    role: Role.server,
    truth: rows.length,
    requestStart: now,
    requestTid: LOOP,
    responseStart: Number.NaN,
    responseTid: LOOP,
    target,
  };
  rows.push(row);
  return row;
}

function client(rows: Row[], truth: number, target: string, now: number): Row {
  const row = { ...server(rows, target, now), role: Role.client, truth };
  rows[rows.length - 1] = row;
  return row;
}

/**
 * An event loop whose calls share four connections and wait for one: some requests make one
 * call, others two in a row of other kinds. With `shuffle` they wait for a random time besides.
 */
function pool(requests: number, shuffle: number): Row[] {
  const random = seeded(11);
  const clock = new Clock();
  const rows: Row[] = [];
  const waiting: ((now: number) => void)[] = [];
  let free = 4;
  const next = (now: number) => {
    if (free === 0 || waiting.length === 0) return;
    free--;
    waiting.shift()!(now + 5e3);
  };
  const call = (parent: Row, target: string, now: number, then: (now: number) => void) => {
    waiting.push((start) => {
      const row = client(rows, parent.truth, target, start);
      clock.at(start + (2 + 3 * random()) * MS, (end) => {
        row.responseStart = end;
        free++;
        then(end);
        next(end);
      });
    });
    clock.at(now + 10e3, next);
  };
  const later = (now: number, run: (now: number) => void) => {
    if (shuffle === 0) run(now);
    else clock.at(now + random() * shuffle, run);
  };
  let arrival = 0;
  for (let request = 0; request < requests; request++) {
    arrival -= Math.log(1 - random()) * 1.4 * MS;
    const isLong = random() < 0.4;
    clock.at(arrival, (now) => {
      const own = server(rows, isLong ? '/long' : '/short', now);
      const answer = (end: number) => {
        own.responseStart = end + 30e3;
      };
      later(now, (start) => {
        if (!isLong) call(own, '/get', start, answer);
        else {
          call(own, '/list', start, (middle) =>
            later(middle, (again) => call(own, '/get', again, answer)),
          );
        }
      });
    });
  }
  clock.run();
  return rows;
}

/** A proxy that reads all that has come, then writes all that follows from it, in that order. */
function relay(requests: number): Row[] {
  const random = seeded(5);
  const clock = new Clock();
  const rows: Row[] = [];
  const ready: ((read: number) => (write: number) => void)[] = [];
  let arrival = 0;
  for (let request = 0; request < requests; request++) {
    arrival -= Math.log(1 - random()) * 0.2 * MS;
    clock.at(arrival, () => {
      ready.push((read) => {
        const own = server(rows, '/page', read);
        return (write) => {
          const row = client(rows, own.truth, '/page', write);
          clock.at(write + (2 + 6 * random()) * MS, () => {
            ready.push((end) => {
              row.responseStart = end;
              return (last) => {
                own.responseStart = last;
              };
            });
          });
        };
      });
    });
  }
  for (let turn = 0; turn < (arrival + 20 * MS) / (0.1 * MS); turn++) {
    clock.at(turn * 0.1 * MS, (now) => {
      const writes = ready.splice(0).map((read, i) => read(now + i * 4e3));
      const last = now + writes.length * 4e3 + 20e3;
      for (const [i, write] of writes.entries()) write(last + i * 4e3);
    });
  }
  clock.run();
  return rows;
}

function score(simulated: readonly Row[]) {
  const { exchanges, rows } = tableOf(simulated);
  const { index, decisions, knowledge } = inferCauses(exchanges, rows);
  const total = { calls: 0, right: 0, wrong: 0, queued: 0 };
  for (let at = 0; at < index.clients.length; at++) {
    const verdict = decisions.verdict[at];
    total.calls++;
    total.queued += knowledge.context.queued[at]!;
    if (verdict === VerdictCode.unknown || verdict === VerdictCode.root) continue;
    const isRight = index.servers[decisions.best(at)] === simulated[index.clients[at]!]!.truth;
    if (isRight) total.right++;
    else total.wrong++;
  }
  return total;
}

describe('queues', () => {
  it('give calls that waited for a connection to the requests that made them', () => {
    const { calls, right, wrong, queued } = score(pool(1500, 0));
    expect(queued / calls).toBeGreaterThan(0.9);
    expect(right / calls).toBeGreaterThan(0.98);
    expect(wrong).toBe(0);
  });

  it('are not believed in where nothing keeps order', () => {
    const { calls, wrong, queued } = score(pool(1500, 30 * MS));
    expect(queued / calls).toBeLessThan(0.1);
    expect(wrong / calls).toBeLessThan(0.02);
  });

  it('give replies to the responses that a proxy wrote for them in one go', () => {
    const simulated = relay(1500);
    const { exchanges, rows } = tableOf(simulated);
    const index = indexProcess(exchanges, rows);
    const context = replayMarks(index, threadMarks(index, NO_HINTS), originKinds(index));
    const [calls, requests] = [callKinds(index), requestKinds(index)];
    const triggers = findTriggers(index, calls, requests);
    const truth = Int32Array.from(index.clients, (row) =>
      index.servers.indexOf(simulated[row]!.truth),
    );
    const shareRight = (closes: Int32Array) => {
      const told = [...closes.keys()].filter((at) => closes[at]! >= 0);
      return told.filter((at) => closes[at] === truth[at]).length / told.length;
    };
    const found = followResponses({ index, context, triggers, calls, requests }, truth)!;
    expect(shareRight(context.closes)).toBeLessThan(0.95);
    expect(shareRight(found.closes)).toBeGreaterThan(0.98);
    expect(found.closes.filter((server) => server >= 0).length).toBeGreaterThan(1300);
  });

  it('leave a proxy’s calls open rather than give them away where too little checks them', () => {
    const { calls, right, wrong } = score(relay(1500));
    expect(right / calls).toBeGreaterThan(0.85);
    expect(wrong / calls).toBeLessThan(0.005);
  });
});
