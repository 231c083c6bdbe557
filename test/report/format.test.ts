import { expect, test } from 'vitest';
import {
  formatBytes,
  formatClock,
  formatCount,
  formatDuration,
  formatPart,
  formatRange,
  formatShare,
} from '../../src/report/format.js';

test('durations have three significant digits and a fitting unit', () => {
  expect(
    [0, 0.0123, 0.9996, 1.234, 12.34, 123.4, 999.6, 4560, 119_900, 180_000, 7.2e6].map(
      formatDuration,
    ),
  ).toEqual([
    '0 ms',
    '12.3 µs',
    '1.00 ms',
    '1.23 ms',
    '12.3 ms',
    '123 ms',
    '1.00 s',
    '4.56 s',
    '120 s',
    '3.00 min',
    '2.00 h',
  ]);
});

test('a share never rounds to all or to nothing', () => {
  expect([0, 0.0001, 0.05, 0.9995, 0.99999, 1].map(formatShare)).toEqual([
    '0 %',
    '< 0.1 %',
    '5 %',
    '> 99.9 %',
    '> 99.9 %',
    '100 %',
  ]);
});

test('counts, parts and bytes', () => {
  expect(formatCount(12_345)).toBe('12,345');
  expect(formatPart(75, 1210)).toBe('75 of 1,210 (6.2 %)');
  expect(formatPart(0, 0)).toBe('0 of 0');
  expect(formatBytes(1536)).toBe('1.50 KiB');
});

test('moments are in UTC, and name the second day only if it is another', () => {
  const epoch = '1795435200000000000';
  expect(formatClock(epoch, 1234.5)).toBe('12:00:01.234');
  expect(formatRange(epoch, 0, 60_000)).toBe('2026-11-23 12:00:00 to 12:01:00');
  expect(formatRange(epoch, 0, 86_400_000)).toBe('2026-11-23 12:00:00 to 2026-11-24 12:00:00');
});
