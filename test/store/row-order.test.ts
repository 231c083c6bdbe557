import { expect, test } from 'vitest';
import { EventKind } from '../../src/model/event.js';
import { batchOf } from '../../src/recorder/rows.js';
import { storageOrder } from '../../src/store/row-order.js';

const { clock, connection, receive, send, close } = EventKind;

test('rows are kept together by connection, then direction, then as captured', () => {
  const large = 2n ** 40n + 1n;
  const rows: [kind: number, connection: bigint][] = [
    ...([
      [clock, 0n],
      [connection, 1n],
      [send, 1n],
      [receive, large],
      [receive, 1n],
    ] as const),
    ...([
      [send, 1n],
      [connection, large],
      [close, 1n],
      [clock, 0n],
      [receive, 1n],
    ] as const),
  ].map(([kind, id]) => [kind, id]);
  const batch = batchOf(rows.map(([kind, id], i) => ({ timeNs: BigInt(i), kind, connection: id })));
  expect([...storageOrder(batch)]).toEqual([0, 8, 1, 7, 4, 9, 2, 5, 6, 3]);
});

test('no rows, no order', () => {
  expect([...storageOrder(batchOf([]))]).toEqual([]);
});
