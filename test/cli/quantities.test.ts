import { describe, expect, test } from 'vitest';
import {
  formatBytes,
  formatCount,
  parseDuration,
  parseShare,
  parseSize,
  plural,
} from '../../src/cli/quantities.js';

describe('sizes', () => {
  test.each([
    ['0', 0],
    ['512', 512],
    ['1b', 1],
    ['500k', 512_000],
    ['500kB', 500_000],
    ['64MiB', 67_108_864],
    ['64 mib', 67_108_864],
    ['1.5GB', 1_500_000_000],
    ['5GiB', 5 * 2 ** 30],
    [' 2T ', 2 ** 41],
    ['0.3b', 0],
  ])('"%s" is %d bytes', (text, bytes) => {
    expect(parseSize('--rotate-size', text)).toBe(bytes);
  });

  test.each(['', '5x', '-1', '1,5G', 'MiB', '1 2', '1e3', '0x10', 'Infinity', '5MiB/s'])(
    '"%s" is refused with the flag and an example',
    (text) => {
      expect(() => parseSize('--rotate-size', text)).toThrow(
        expect.objectContaining({
          code: 'USAGE',
          place: '--rotate-size',
          message: `"${text}" is not a size such as 64MiB.`,
        }),
      );
    },
  );
});

describe('durations', () => {
  test.each([
    ['250ms', 250],
    ['90s', 90_000],
    ['90 s', 90_000],
    ['1.5s', 1500],
    ['15m', 900_000],
    ['15min', 900_000],
    ['1h30m', 5_400_000],
    ['1h 30m', 5_400_000],
    ['72h', 259_200_000],
    ['30D', 2_592_000_000],
    ['0s', 0],
  ])('"%s" is %d ms', (text, milliseconds) => {
    expect(parseDuration('--duration', text)).toBe(milliseconds);
  });

  test.each(['', '5', 's', '-5s', '5 parsecs', '5s,', '1h30', 'soon', '1:30', '5s5'])(
    '"%s" is refused with the flag and an example',
    (text) => {
      expect(() => parseDuration('--duration', text)).toThrow(
        expect.objectContaining({
          code: 'USAGE',
          place: '--duration',
          message: `"${text}" is not a duration such as 90s, 15m or 1h30m.`,
        }),
      );
    },
  );

  test('words that JavaScript objects inherit are no units', () => {
    expect(() => parseDuration('--duration', '5constructor')).toThrow('is not a duration');
    expect(() => parseSize('--ring-size', '5toString')).toThrow('is not a size');
  });
});

describe('shares', () => {
  test.each([
    ['10%', 0.1],
    ['0.1', 0.1],
    ['0', 0],
    ['100%', 1],
    ['1', 1],
    ['0.5%', 0.005],
  ])('"%s" is %d', (text, share) => {
    expect(parseShare('--min-free', text)).toBeCloseTo(share, 12);
  });

  test.each(['', '101%', '1.1', '-1%', 'half', '10 %x', '%'])('"%s" is refused', (text) => {
    expect(() => parseShare('--min-free', text)).toThrow(
      expect.objectContaining({ code: 'USAGE', place: '--min-free' }),
    );
  });
});

test('bytes are shown in the largest unit that leaves at least one', () => {
  expect([0, 1023, 1024, 12_345_678, 2 ** 30, 2 ** 50].map(formatBytes)).toEqual([
    '0 B',
    '1023 B',
    '1.00 KiB',
    '11.8 MiB',
    '1.00 GiB',
    '1024 TiB',
  ]);
});

test('no size is shown with an exponent', () => {
  expect([999.9, 1023, 99.99].map((kib) => formatBytes(kib * 1024))).toEqual([
    '1000 KiB',
    '1023 KiB',
    '100 KiB',
  ]);
});

test('counts have thousands separators, and nouns agree with them', () => {
  expect(formatCount(1_234_567)).toBe('1,234,567');
  expect([0, 1, 2000].map((count) => plural(count, 'segment'))).toEqual([
    '0 segments',
    '1 segment',
    '2,000 segments',
  ]);
});
