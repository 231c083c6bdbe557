import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { BytesColumn, TableOf } from '../../src/model/columns.js';
import { concatTables, emptyTable, takeRows } from '../../src/model/tables.js';

const COLUMNS = {
  small: { type: 'uint8', doc: '' },
  medium: { type: 'uint16', doc: '' },
  large: { type: 'uint32', doc: '' },
  time: { type: 'int64', doc: '' },
  cookie: { type: 'uint64', doc: '' },
  moment: { type: 'float64', doc: '' },
  words: { type: 'utf8', doc: '' },
  name: { type: 'text', doc: '' },
  payload: { type: 'binary', doc: '' },
} as const;
type Table = TableOf<typeof COLUMNS>;

function bytesColumn(values: readonly string[]): BytesColumn {
  const offsets = Int32Array.from([0, ...values.map(() => 0)]);
  for (const [i, value] of values.entries()) offsets[i + 1] = offsets[i]! + value.length;
  return { offsets, data: Uint8Array.from(Buffer.from(values.join(''), 'latin1')) };
}

/** A table whose row i says `values[i]` in every column. */
function tableOf(values: readonly number[]): Table {
  const text = values.map((value) => 'x'.repeat(value % 4) + String(value));
  return {
    rows: values.length,
    small: Uint8Array.from(values),
    medium: Uint16Array.from(values),
    large: Uint32Array.from(values),
    time: BigInt64Array.from(values, (value) => -(2n ** 62n) + BigInt(value)),
    cookie: BigUint64Array.from(values, (value) => 2n ** 64n - 1n - BigInt(value)),
    moment: Float64Array.from(values, (value) => (value % 5 === 0 ? Number.NaN : value / 3)),
    words: text,
    name: bytesColumn(text),
    payload: bytesColumn(values.map((value) => (value % 3 === 0 ? '' : `\xff${value}`))),
  };
}

const values = fc.array(fc.nat({ max: 255 }), { maxLength: 12 });

describe('tables', () => {
  it('begin with empty values of the right type', () => {
    const table = emptyTable(COLUMNS, 2);
    expect(table).toEqual({
      rows: 2,
      small: new Uint8Array(2),
      medium: new Uint16Array(2),
      large: new Uint32Array(2),
      time: new BigInt64Array(2),
      cookie: new BigUint64Array(2),
      moment: new Float64Array(2),
      words: ['', ''],
      name: { offsets: new Int32Array(3), data: new Uint8Array(0) },
      payload: { offsets: new Int32Array(3), data: new Uint8Array(0) },
    });
  });

  it('give the rows asked for, in that order and as often', () => {
    fc.assert(
      fc.property(values, fc.array(fc.nat(), { maxLength: 12 }), (all, picks) => {
        const rows = all.length === 0 ? [] : picks.map((pick) => pick % all.length);
        const taken = takeRows(COLUMNS, tableOf(all), Uint32Array.from(rows));
        expect(taken).toEqual(tableOf(rows.map((row) => all[row]!)));
      }),
    );
  });

  it('laid one after another hold all rows', () => {
    fc.assert(
      fc.property(fc.array(values, { maxLength: 5 }), (parts) => {
        expect(concatTables(COLUMNS, parts.map(tableOf))).toEqual(tableOf(parts.flat()));
      }),
    );
  });

  it('may be parts of larger buffers', () => {
    const whole = tableOf([1, 2, 3]);
    const part: Table = {
      ...takeRows(COLUMNS, whole, Uint32Array.of(1, 2)),
      name: { offsets: whole.name.offsets.subarray(1), data: whole.name.data },
      payload: { offsets: whole.payload.offsets.subarray(1), data: whole.payload.data },
    };
    expect(concatTables(COLUMNS, [part, part])).toEqual(tableOf([2, 3, 2, 3]));
    expect(takeRows(COLUMNS, part, Uint32Array.of(1))).toEqual(tableOf([3]));
  });

  it('share no memory with what they were made from', () => {
    const source = tableOf([7]);
    const copies = [takeRows(COLUMNS, source, Uint32Array.of(0)), concatTables(COLUMNS, [source])];
    source.large[0] = 99;
    source.name.data.fill(0);
    for (const copy of copies) expect(copy).toEqual(tableOf([7]));
  });
});
