/** An object of parsed JSON, its values not yet looked at. */
export type JsonObject = Readonly<Record<string, unknown>>;

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A text or a number as text; '' for anything else. */
export function textOf(value: unknown): string {
  if (typeof value === 'string') return value;
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : '';
}

/** The elements that are objects; none if it is no array. */
export function objectsIn(value: unknown): JsonObject[] {
  return Array.isArray(value) ? value.filter(isObject) : [];
}

const MOST_NS = 2n ** 63n - 1n;

function inRange(ns: bigint): bigint | undefined {
  return ns >= 0n && ns <= MOST_NS ? ns : undefined;
}

/** Microseconds, a number or digits, as nanoseconds; undefined if it is no such time. */
export function nsOfMicroseconds(value: unknown): bigint | undefined {
  const number = typeof value === 'string' && value !== '' ? Number(value) : value;
  if (typeof number !== 'number' || !Number.isFinite(number)) return undefined;
  const whole = Math.floor(number);
  // Apart, because the product does not fit a double.
  return inRange(BigInt(whole) * 1000n + BigInt(Math.round((number - whole) * 1000)));
}

/** Nanoseconds as int64 in JSON, digits or a number; undefined if it is no such time. */
export function nsOf(value: unknown): bigint | undefined {
  if (typeof value === 'string' && /^\d{1,19}$/.test(value)) return inRange(BigInt(value));
  if (typeof value !== 'number' || !Number.isFinite(value)) return undefined;
  return inRange(BigInt(Math.round(value)));
}
