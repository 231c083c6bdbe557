import { expect, it } from 'vitest';
import { decodeStrings, encodeStrings } from '../../src/store/text.js';

it('columns of strings may be longer than one string can be joined from', () => {
  const long = 'x'.repeat(2 ** 23);
  const values = Array.from({ length: 35 }, (_, i) => (i % 2 === 0 ? long : `é${i}`));
  const { offsets, data } = encodeStrings([...values, 'end']);
  expect(offsets.length).toBe(37);
  expect(offsets[36]).toBe(data.length);
  expect(data.length).toBe(18 * 2 ** 23 + 5 * 3 + 12 * 4 + 3);
  const last = offsets.subarray(33);
  const tail = { offsets: last.map((at) => at - last[0]!), data: data.subarray(last[0]) };
  expect(decodeStrings(tail)).toEqual(['é33', long, 'end']);
});
