import { describe, expect, test } from 'vitest';
import { formatMoment, parseMoment, parseWindow } from '../../src/cli/window.js';

const NOW = Date.UTC(2026, 10, 24, 12, 30, 15, 250);
const at = (text: string) => new Date(Number(parseMoment('--from', text, NOW) / 1_000_000n));

describe('moments', () => {
  test.each([
    ['2026-11-23T12:00:00Z', '2026-11-23T12:00:00.000Z'],
    ['2026-11-23T12:00:00.5Z', '2026-11-23T12:00:00.500Z'],
    ['2026-11-23T12:00:00+02:00', '2026-11-23T10:00:00.000Z'],
    ['2026-11-23T12:00', '2026-11-23T12:00:00.000Z'],
    ['2026-11-23 12:00:05', '2026-11-23T12:00:05.000Z'],
    ['2026-11-23', '2026-11-23T00:00:00.000Z'],
    ['09:05', '2026-11-24T09:05:00.000Z'],
    ['9:05:07.25', '2026-11-24T09:05:07.250Z'],
    ['now', '2026-11-24T12:30:15.250Z'],
    ['Today', '2026-11-24T00:00:00.000Z'],
    [' yesterday ', '2026-11-23T00:00:00.000Z'],
    ['-15m', '2026-11-24T12:15:15.250Z'],
    ['-1h30m', '2026-11-24T11:00:15.250Z'],
  ])('"%s" is %s', (text, expected) => {
    expect(at(text).toISOString()).toBe(expected);
  });

  test('times without a zone are UTC in any time zone of the machine', () => {
    const zone = process.env.TZ;
    try {
      process.env.TZ = 'America/New_York';
      expect(at('2026-11-23 12:00').toISOString()).toBe('2026-11-23T12:00:00.000Z');
      expect(at('2026-11-23').toISOString()).toBe('2026-11-23T00:00:00.000Z');
    } finally {
      if (zone === undefined) delete process.env.TZ;
      else process.env.TZ = zone;
    }
  });

  test('microseconds are kept', () => {
    expect(parseMoment('--from', '00:00:00.000123', NOW) % 1_000_000n).toBe(123_000n);
  });

  test.each([
    '',
    'constructor',
    '25:00',
    '12:60',
    '12',
    'noon',
    '2026-13-01',
    '2026-11-23T25:00Z',
    '23.11.2026',
  ])('"%s" is refused with the flag and the forms that are understood', (text) => {
    expect(() => parseMoment('--from', text, NOW)).toThrow(
      expect.objectContaining({
        code: 'USAGE',
        place: '--from',
        message: `"${text}" is not a time.`,
        remedy: expect.stringContaining('2026-11-23T12:00:00Z'),
      }),
    );
  });

  test('a bad duration behind the minus is refused by its own rule', () => {
    expect(() => parseMoment('--from', '-15x', NOW)).toThrow('is not a duration');
  });
});

describe('windows', () => {
  test('FROM..TO has both ends', () => {
    const { fromNs, toNs } = parseWindow('--incident', '12:00..12:10', NOW);
    expect(formatMoment(fromNs)).toBe('2026-11-24T12:00:00.000Z');
    expect(toNs - fromNs).toBe(600_000_000_000n);
  });

  test.each(['12:00', '12:00-12:10', '12:00..12:05..12:10', ''])('"%s" is no range', (text) => {
    expect(() => parseWindow('--incident', text, NOW)).toThrow(
      expect.objectContaining({ code: 'USAGE', place: '--incident' }),
    );
  });

  test.each(['12:10..12:00', '12:00..12:00'])('"%s" ends before it begins', (text) => {
    expect(() => parseWindow('--incident', text, NOW)).toThrow('ends before it begins');
  });

  test('a side that is left out is no time', () => {
    expect(() => parseWindow('--incident', '12:00..', NOW)).toThrow('"" is not a time.');
  });
});

test('moments are shown in UTC with milliseconds', () => {
  expect(formatMoment(1_795_490_440_713_034_277n)).toBe('2026-11-24T03:20:40.713Z');
});
