import { expect, test } from 'vitest';
import { unrecordedStretches } from '../../src/model/unrecorded.js';

const part = (host: string, recordingId: string, fromNs: bigint, toNs: bigint) => {
  return { host, recordingId, fromNs, toNs };
};

test('between two recordings of a host nobody recorded; between two segments of one somebody did', () => {
  const segments = [
    part('a', 'second', 50n, 60n),
    part('a', 'first', 20n, 30n),
    part('a', 'first', 0n, 10n),
    part('b', 'third', 5n, 6n),
    part('a', 'second', 65n, 80n),
  ];
  expect(unrecordedStretches(segments)).toEqual([{ host: 'a', fromNs: 30n, toNs: 50n }]);
});

test('recordings that overlap, or lie inside another, leave nothing out', () => {
  const segments = [
    part('a', 'long', 0n, 100n),
    part('a', 'inside', 20n, 30n),
    part('a', 'behind', 90n, 120n),
    part('a', 'late', 150n, 160n),
  ];
  expect(unrecordedStretches(segments)).toEqual([{ host: 'a', fromNs: 120n, toNs: 150n }]);
  expect(unrecordedStretches([])).toEqual([]);
});
