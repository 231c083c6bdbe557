import { CodedError } from '../model/errors.js';

const SIZE_UNITS: Readonly<Record<string, number>> = {
  '': 1,
  b: 1,
  k: 2 ** 10,
  kb: 1e3,
  kib: 2 ** 10,
  m: 2 ** 20,
  mb: 1e6,
  mib: 2 ** 20,
  g: 2 ** 30,
  gb: 1e9,
  gib: 2 ** 30,
  t: 2 ** 40,
  tb: 1e12,
  tib: 2 ** 40,
};
const DURATION_UNITS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1e3,
  sec: 1e3,
  m: 60e3,
  min: 60e3,
  h: 3600e3,
  d: 86_400e3,
};

/** The unit of that name: nothing that objects inherit, such as "constructor", is one. */
function unitOf(units: Readonly<Record<string, number>>, name: string): number | undefined {
  return Object.hasOwn(units, name.toLowerCase()) ? units[name.toLowerCase()] : undefined;
}

function usage(flag: string, text: string, expected: string): CodedError {
  return new CodedError('USAGE', `"${text}" is not ${expected}.`, flag);
}

/** Parses "64MiB", "500k", "1.5GB" to bytes. @throws CodedError USAGE naming the flag */
export function parseSize(flag: string, text: string): number {
  const match = /^(\d+(?:\.\d+)?)\s*([a-z]*)$/i.exec(text.trim());
  const unit = unitOf(SIZE_UNITS, match?.[2] ?? '?');
  if (match === null || unit === undefined) throw usage(flag, text, 'a size such as 64MiB');
  return Math.round(Number(match[1]) * unit);
}

/** Parses "90s", "15m", "1h30m", "250ms" to milliseconds. @throws CodedError USAGE */
export function parseDuration(flag: string, text: string): number {
  const parts = [...text.trim().matchAll(/(\d+(?:\.\d+)?)\s*([a-z]+)/gi)];
  const spaceless = (value: string) => value.replace(/\s+/g, '');
  const isWhole = spaceless(parts.map((part) => part[0]).join('')) === spaceless(text);
  const units = parts.map((part) => unitOf(DURATION_UNITS, part[2]!));
  if (parts.length === 0 || !isWhole || units.includes(undefined)) {
    throw usage(flag, text, 'a duration such as 90s, 15m or 1h30m');
  }
  return parts.reduce((sum, part, i) => sum + Number(part[1]) * units[i]!, 0);
}

/** Parses "10%" or "0.1" to a share of 0..1. @throws CodedError USAGE */
export function parseShare(flag: string, text: string): number {
  const match = /^(\d+(?:\.\d+)?)(%?)$/.exec(text.trim());
  const share = match === null ? Number.NaN : Number(match[1]) / (match[2] === '%' ? 100 : 1);
  if (!(share >= 0 && share <= 1)) throw usage(flag, text, 'a share such as 10% or 0.1');
  return share;
}

/** Parses "5000/s" or "5000" to a number per second. @throws CodedError USAGE */
export function parsePerSecond(flag: string, text: string): number {
  const match = /^(\d+(?:\.\d+)?)\s*(?:\/\s*s)?$/i.exec(text.trim());
  if (match === null || !(Number(match[1]) > 0)) {
    throw usage(flag, text, 'a number per second such as 5000/s');
  }
  return Number(match[1]);
}

/** Parses "1MiB/s" or "1MiB" to bytes per second. @throws CodedError USAGE */
export function parseByteRate(flag: string, text: string): number {
  const rate = parseSize(flag, text.trim().replace(/\s*\/\s*s$/i, ''));
  if (rate === 0) throw usage(flag, text, 'a rate such as 1MiB/s');
  return rate;
}

/** Parses "2%", or "150%" for one and a half processors, to a share of one. @throws CodedError USAGE */
export function parseCpuShare(flag: string, text: string): number {
  const match = /^(\d+(?:\.\d+)?)(%?)$/.exec(text.trim());
  const share = match === null ? Number.NaN : Number(match[1]) / (match[2] === '%' ? 100 : 1);
  if (!(share > 0)) throw usage(flag, text, 'a share of one processor such as 2%');
  return share;
}

/** Parses "9464" or "address:port", IPv6 in brackets; loopback if there is no address. @throws CodedError USAGE */
export function parseListenAddress(flag: string, text: string): { host: string; port: number } {
  const match = /^(?:(?:\[([0-9a-f:.]+)\]|([^\s:[\]]+)):)?(\d{1,5})$/i.exec(text.trim());
  const port = Number(match?.[3]);
  if (match === null || port > 65_535) throw usage(flag, text, 'a port, or address:port');
  return { host: match[1] ?? match[2] ?? '127.0.0.1', port };
}

/** @throws CodedError USAGE naming the flag; what is no number at all yargs gives as NaN */
export function requireWhole(flag: string, value: number, least: number, most: number): void {
  if (Number.isInteger(value) && value >= least && value <= most) return;
  throw new CodedError('USAGE', `must be a whole number from ${least} to ${most}.`, flag);
}

/** 12345678 -> "11.8 MiB". */
export function formatBytes(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let value = bytes;
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit++;
  }
  // From 999.5 on toPrecision(3) would write 1.00e+3.
  const digits = value < 100 ? value.toPrecision(3) : value.toFixed(0);
  return `${unit === 0 ? value : digits} ${units[unit]}`;
}

/** 1234567 -> "1,234,567". */
export function formatCount(count: number): string {
  // Not Intl: its tables take tens of milliseconds and megabytes of a recorder that needs nothing else of them.
  return String(count).replace(/\B(?=(\d{3})+$)/g, ',');
}

/** 1 segment, 2 segments. */
export function plural(count: number, noun: string): string {
  return `${formatCount(count)} ${noun}${count === 1 ? '' : 's'}`;
}
