import { expect, it } from 'vitest';
import { Role } from '../../../src/model/exchange.js';
import { followGoroutines } from '../../../src/reconstruct/causality/goroutines.js';
import { inferCauses } from '../../../src/reconstruct/causality/infer.js';
import { indexProcess } from '../../../src/reconstruct/causality/process-index.js';
import { tableOf } from './simulate.js';

const HANDLER = 10;

/** A request of the connection that one goroutine serves, ms. */
const request = (start: number, end: number) => ({
  role: Role.server,
  truth: -1,
  requestStart: start * 1e6,
  requestTid: 1,
  responseStart: end * 1e6,
  responseTid: 1,
  target: '/order',
  goroutine: HANDLER,
});

/** A call for which a goroutine waits that the handler started `age` ms before; undefined: not told when. */
const call = (start: number, goroutine: number, age?: number) => ({
  role: Role.client,
  truth: -1,
  requestStart: start * 1e6,
  requestTid: 2,
  responseStart: (start + 1) * 1e6,
  responseTid: 2,
  target: '/mail',
  goroutine,
  creator: HANDLER,
  leaseAge: age === undefined ? 0 : age * 1e6,
});

it('a call is of the request that was read before its goroutine was started', () => {
  const { exchanges, rows } = tableOf([
    request(0, 10),
    request(100, 120),
    call(5, 20, 3),
    call(105, 21, 97),
    call(106, 22, 4),
    call(107, 23),
  ]);
  const { server, steps, isDated } = followGoroutines(indexProcess(exchanges, rows));
  expect([...server]).toEqual([0, 0, 1, 1]);
  expect([...steps]).toEqual([1, 1, 1, 1]);
  expect([...isDated]).toEqual([1, 1, 1, 0]);
});

it('an age that is the most that can be told dates nothing', () => {
  const { exchanges, rows } = tableOf([request(0, 10), request(9000, 9010), call(9005, 20, 1)]);
  exchanges.lease_age[2] = 0xffffffff;
  const { server, isDated } = followGoroutines(indexProcess(exchanges, rows));
  expect([server[0], isDated[0]]).toEqual([1, 0]);
});

it('work goes on for a second after the answer, and then it is the process’s own', () => {
  const rows = Array.from({ length: 20 }, (_, i) => {
    const at = i * 2000;
    return [
      request(at, at + 10),
      call(at + 300, 2 * i + 20, 295),
      call(at + 1200, 2 * i + 21, 1195),
    ];
  });
  const { exchanges, rows: all } = tableOf(rows.flat());
  const { decisions } = inferCauses(exchanges, all);
  for (let i = 0; i < rows.length; i++) {
    expect(decisions.best(2 * i)).toBe(i);
    expect(decisions.bestConfidence(2 * i)).toBeGreaterThan(0.9);
    expect(decisions.best(2 * i + 1)).toBe(-1);
  }
});
