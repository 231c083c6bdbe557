import { isAscii, isUtf8 } from 'node:buffer';
import type { BytesColumn } from '../model/columns.js';

const encoder = new TextEncoder();
// A byte order mark is part of the value.
const decoder = new TextDecoder('utf-8', { ignoreBOM: true });

/** Characters that are joined at a time: an engine's strings end at about four times as many. */
const MOST_JOINED = 2 ** 27;

function isLong(values: readonly string[]): boolean {
  let length = 0;
  for (let i = 0; i < values.length && length <= MOST_JOINED; i++) length += values[i]!.length;
  return length > MOST_JOINED && values.length > 1;
}

function encodeHalves(values: readonly string[]): BytesColumn {
  const middle = values.length >> 1;
  const [first, second] = [values.slice(0, middle), values.slice(middle)].map(encodeStrings);
  const offsets = new Int32Array(values.length + 1);
  const size = first!.offsets[middle]!;
  offsets.set(first!.offsets);
  for (let i = 1; i <= values.length - middle; i++)
    offsets[middle + i] = size + second!.offsets[i]!;
  return { offsets, data: concatBytes([first!.data, second!.data], size + second!.data.length) };
}

/** Strings as one UTF-8 column. Lone surrogates become U+FFFD. */
export function encodeStrings(values: readonly string[]): BytesColumn {
  if (isLong(values)) return encodeHalves(values);
  const offsets = new Int32Array(values.length + 1);
  const joined = values.join('');
  const data = encoder.encode(joined);
  if (data.length === joined.length) {
    for (let i = 0; i < values.length; i++) offsets[i + 1] = offsets[i]! + values[i]!.length;
    return { offsets, data };
  }
  // Two values may join to a surrogate pair that neither is: encode them one by one.
  const parts = values.map((value) => encoder.encode(value));
  for (let i = 0; i < parts.length; i++) offsets[i + 1] = offsets[i]! + parts[i]!.length;
  return { offsets, data: concatBytes(parts, offsets[parts.length]!) };
}

function concatBytes(parts: readonly Uint8Array[], length: number): Uint8Array {
  const data = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    data.set(part, at);
    at += part.length;
  }
  return data;
}

/** The values of a UTF-8 column as strings; ill-formed bytes become U+FFFD. */
export function decodeStrings({ offsets, data }: BytesColumn): string[] {
  const rows = offsets.length - 1;
  const values = new Array<string>(rows);
  const bytes = data.subarray(0, offsets[rows]);
  if (isAscii(bytes)) {
    const joined = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1');
    for (let i = 0; i < rows; i++) values[i] = joined.slice(offsets[i], offsets[i + 1]);
  } else {
    for (let i = 0; i < rows; i++) {
      values[i] = decoder.decode(data.subarray(offsets[i], offsets[i + 1]));
    }
  }
  return values;
}

/**
 * The same column if each value is well-formed UTF-8, else a copy with U+FFFD in the
 * places of the bad bytes. Task names are arbitrary bytes, cut at 15 even inside a
 * character, and one of them would make the whole file invalid.
 */
export function wellFormedText(column: BytesColumn, rows: number): BytesColumn {
  const { offsets, data } = column;
  if (isAscii(data.subarray(0, offsets[rows]))) return column;
  const valueAt = (row: number) => data.subarray(offsets[row], offsets[row + 1]);
  let firstBad = 0;
  while (firstBad < rows && isUtf8(valueAt(firstBad))) firstBad++;
  if (firstBad === rows) return column;
  const parts: Uint8Array[] = [];
  const repaired = new Int32Array(rows + 1);
  for (let row = 0; row < rows; row++) {
    const value = valueAt(row);
    const part = isUtf8(value) ? value : encoder.encode(decoder.decode(value));
    parts.push(part);
    repaired[row + 1] = repaired[row]! + part.length;
  }
  return { offsets: repaired, data: concatBytes(parts, repaired[rows]!) };
}
