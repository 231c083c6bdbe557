import { CodedError } from '../model/errors.js';
import { parseDuration } from './quantities.js';

/** A time range, epoch ns; the end is not included. */
export interface Window {
  readonly fromNs: bigint;
  readonly toNs: bigint;
}

const DAY_MS = 86_400_000;
const MILLION = 1_000_000n;

function midnight(nowMs: number, daysBack: number): number {
  return Math.floor(nowMs / DAY_MS) * DAY_MS - daysBack * DAY_MS;
}

function clockTime(text: string, nowMs: number): number | undefined {
  const match = /^(\d{1,2}):(\d{2})(?::(\d{2})(\.\d{1,9})?)?$/.exec(text);
  if (match === null) return undefined;
  const [hours, minutes, seconds] = [match[1], match[2], match[3] ?? '0'].map(Number) as [
    number,
    number,
    number,
  ];
  if (hours > 23 || minutes > 59 || seconds > 59) return undefined;
  return (
    midnight(nowMs, 0) + ((hours * 60 + minutes) * 60 + seconds + Number(match[4] ?? 0)) * 1000
  );
}

/**
 * Parses a moment: RFC 3339, `HH:MM[:SS]` of today (UTC), `-15m` (that long ago), or
 * now, today, yesterday.
 *
 * @throws CodedError USAGE naming the flag
 */
export function parseMoment(flag: string, text: string, nowMs: number): bigint {
  const trimmed = text.trim();
  const words = new Map([
    ['now', nowMs],
    ['today', midnight(nowMs, 0)],
    ['yesterday', midnight(nowMs, 1)],
  ]);
  let ms = words.get(trimmed.toLowerCase()) ?? clockTime(trimmed, nowMs);
  if (ms === undefined && trimmed.startsWith('-'))
    ms = nowMs - parseDuration(flag, trimmed.slice(1));
  if (ms === undefined && /^\d{4}-\d{2}-\d{2}/.test(trimmed)) {
    const hasZone = /(z|[+-]\d{2}:?\d{2})$/i.test(trimmed);
    const time = /[t ]\d/i.test(trimmed);
    ms = Date.parse(time && !hasZone ? `${trimmed.replace(' ', 'T')}Z` : trimmed.replace(' ', 'T'));
  }
  if (ms === undefined || Number.isNaN(ms)) {
    throw new CodedError(
      'USAGE',
      `"${text}" is not a time.`,
      flag,
      'Use 2026-11-23T12:00:00Z, 12:00 (UTC, today), -15m, now, today or yesterday.',
    );
  }
  return BigInt(Math.round(ms * 1000)) * (MILLION / 1000n);
}

/** Parses `FROM..TO`. @throws CodedError USAGE */
export function parseWindow(flag: string, text: string, nowMs: number): Window {
  const parts = text.split('..');
  if (parts.length !== 2) {
    throw new CodedError(
      'USAGE',
      `"${text}" is not a range.`,
      flag,
      'Use FROM..TO, for example 12:00..12:10.',
    );
  }
  const fromNs = parseMoment(flag, parts[0]!, nowMs);
  const toNs = parseMoment(flag, parts[1]!, nowMs);
  if (toNs <= fromNs) throw new CodedError('USAGE', `"${text}" ends before it begins.`, flag);
  return { fromNs, toNs };
}

/** Epoch ns as RFC 3339 in UTC with milliseconds. */
export function formatMoment(ns: bigint): string {
  return new Date(Number(ns / MILLION)).toISOString();
}
