import { expect, test } from 'vitest';
import { EventKind, LossCause } from '../../src/model/event.js';
import { ClockWatch } from '../../src/recorder/clock-watch.js';
import type { ClockReading } from '../../src/recorder/source.js';

const SECOND = 1_000_000_000n;
const OFFSET = 1_790_000_000n * SECOND;

function reading(second: number, wallNs = 0n, bootNs = 0n): ClockReading {
  const monotonicNs = BigInt(second) * SECOND;
  return { monotonicNs, wallOffsetNs: OFFSET + wallNs, bootOffsetNs: bootNs };
}

test('pairs are written now and then while the clocks agree, whatever the noise', () => {
  const watch = new ClockWatch(OFFSET);
  const rows = Array.from({ length: 31 }, (_, i) => watch.look(reading(i, BigInt(i % 3) * 1000n)));
  expect(rows.map((list) => list.length)).toEqual(
    Array.from({ length: 31 }, (_, i) => (i % 10 === 0 ? 1 : 0)),
  );
  expect(rows.flat().every(({ kind }) => kind === EventKind.clock)).toBe(true);
});

test('a clock that is set is told with its range and step, between the pairs that bracket it', () => {
  const watch = new ClockWatch(OFFSET);
  watch.look(reading(0));
  watch.look(reading(1));
  const rows = watch.look(reading(2, -3n * SECOND));
  expect(
    rows.map(({ kind, timeNs, count }) => [kind, timeNs - OFFSET, (count ?? 0n) - timeNs]),
  ).toEqual([
    [EventKind.clock, SECOND, 0n],
    [EventKind.clock, 2n * SECOND, -3n * SECOND],
    [EventKind.loss, 2n * SECOND, 1n - OFFSET - 2n * SECOND],
  ]);
  expect(rows[2]).toMatchObject({ name: LossCause.clockStep });
  expect(JSON.parse(rows[2]?.detail ?? '')).toEqual({
    fromNs: (OFFSET + SECOND).toString(),
    scope: 'the wall clock was set',
    stepNs: '-3000000000',
  });
  expect(watch.totals).toEqual({ 'clock-step': 1, suspend: 0 });
});

test('a host that slept is told as such; a clock set meanwhile as well', () => {
  const watch = new ClockWatch(OFFSET);
  watch.look(reading(0));
  const slept = watch.look(reading(1, 60n * SECOND, 60n * SECOND));
  expect(slept.map(({ name }) => name).filter(Boolean)).toEqual([LossCause.suspend]);
  const both = watch.look(reading(2, 160n * SECOND, 90n * SECOND));
  const steps = both.filter(({ name }) => name !== undefined);
  expect(steps.map(({ name, detail }) => [name, JSON.parse(detail ?? '').stepNs])).toEqual([
    [LossCause.suspend, '30000000000'],
    [LossCause.clockStep, '70000000000'],
  ]);
});
