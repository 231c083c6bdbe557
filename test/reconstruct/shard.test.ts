import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type Batch, EVENT_COLUMNS } from '../../src/model/batch.js';
import { EventKind } from '../../src/model/event.js';
import { HINT_COLUMNS } from '../../src/model/hint.js';
import { takeRows } from '../../src/model/tables.js';
import { shard } from '../../src/reconstruct/shard.js';
import type { ShardInput } from '../../src/reconstruct/tasks.js';
import { batchOf, type Row } from '../../src/recorder/rows.js';
import { SegmentWriter } from '../../src/store/segment-writer.js';
import { readTable } from '../../src/store/table-file.js';
import { sampleBatch, sampleHeader } from '../store/sample-events.js';
import { useTemporaryDirectories } from '../store/temporary.js';

const temporaryDirectory = useTemporaryDirectories();

function writeSegment(...batches: readonly Batch[]): string {
  const writer = SegmentWriter.open(temporaryDirectory(), sampleHeader({ host: 'shop-1' }));
  for (const batch of batches) writer.append(batch);
  return writer.close();
}

async function shardOf(segment: string, changes: Partial<ShardInput> = {}) {
  const directory = join(temporaryDirectory(), 'shards');
  const base = { segment, identities: [], host: 0, directory, partitions: 4, baseNs: '0' };
  const output = await shard({ ...base, ...changes });
  const tables = await Promise.all(
    output.files.map((file) => (file === undefined ? undefined : readTable(file, EVENT_COLUMNS))),
  );
  return { ...output, tables };
}

/** One received byte on each of these connections. */
function touches(connections: readonly bigint[]): Batch {
  return batchOf(
    connections.map((connection, i) => ({
      timeNs: BigInt(1000 + i),
      kind: EventKind.receive,
      pid: 7,
      tid: 7,
      connection,
    })),
  );
}

async function partitionsByConnection(batch: Batch, partitions: number) {
  const { tables } = await shardOf(writeSegment(batch), { partitions });
  return new Map(
    tables.flatMap((table, partition) =>
      Array.from(table?.connection ?? [], (connection) => [connection, partition] as const),
    ),
  );
}

describe('rows of connections', () => {
  it('go whole and in order to one partition each', async () => {
    const batch = sampleBatch(3000);
    const { tables, files, summary } = await shardOf(writeSegment(batch));
    expect(files.map((file) => file?.split('/').at(-1))).toEqual([
      '0.arrow',
      '1.arrow',
      '2.arrow',
      '3.arrow',
    ]);
    expect(summary).toMatchObject({ host: 'shop-1', rows: 3000, partial: true });
    const owner = new Map<bigint, number>();
    for (const [partition, table] of tables.entries()) {
      for (const connection of table!.connection) {
        expect(owner.get(connection) ?? partition).toBe(partition);
        owner.set(connection, partition);
      }
      const rows = Array.from(batch.connection.keys()).filter(
        (row) => owner.get(batch.connection[row]!) === partition,
      );
      expect(table).toEqual(takeRows(EVENT_COLUMNS, batch, Uint32Array.from(rows)));
    }
    expect(tables.reduce((sum, table) => sum + table!.rows, 0)).toBe(3000);
  });

  it('go to the same partition in every segment, whatever else is in it', async () => {
    const connections = Array.from({ length: 50 }, (_, i) => BigInt(i * 3 + 1));
    const alone = await partitionsByConnection(touches(connections.slice(20)), 8);
    const together = await partitionsByConnection(touches([...connections].reverse()), 8);
    expect(alone.size).toBe(30);
    for (const [connection, partition] of alone) {
      expect(together.get(connection)).toBe(partition);
    }
  });

  it('are spread evenly, although cookies are nearly consecutive', async () => {
    const count = 8000;
    for (const first of [1n, 2n ** 32n - 4000n, 2n ** 64n - 8000n]) {
      for (const step of [1n, 4n]) {
        const last = first + BigInt(count) * step;
        const start = last > 2n ** 64n ? first - (last - 2n ** 64n) : first;
        const cookies = Array.from({ length: count }, (_, i) => start + BigInt(i) * step);
        const sizes = new Array<number>(16).fill(0);
        for (const partition of (await partitionsByConnection(touches(cookies), 16)).values()) {
          sizes[partition]!++;
        }
        expect(Math.min(...sizes)).toBeGreaterThan((count / 16) * 0.5);
        expect(Math.max(...sizes)).toBeLessThan((count / 16) * 1.5);
      }
    }
  });

  it('are told apart by all 64 bits', async () => {
    const owners = await partitionsByConnection(touches([5n, 2n ** 32n, 2n ** 63n]), 1);
    expect([...owners.keys()]).toEqual([5n, 2n ** 32n, 2n ** 63n]);
  });
});

describe('shard', () => {
  const base = { pid: 7, tid: 7 };
  const process = (timeNs: bigint, changes: Partial<Row>): Row => ({
    timeNs,
    ...base,
    kind: EventKind.process,
    ...changes,
  });

  it('collects the lives of processes, not of threads, and who did I/O', async () => {
    const batch = batchOf([
      process(1n, { name: 'node', parent: 1, detail: '{"startTicks":1}' }),
      { timeNs: 2n, ...base, kind: EventKind.send, connection: 9n },
      { timeNs: 3n, pid: 3, tid: 4, kind: EventKind.receive, connection: 9n },
      { timeNs: 4n, pid: 7, tid: 8, kind: EventKind.fork, parent: 7 },
      { timeNs: 5n, pid: 7, tid: 8, kind: EventKind.exit },
      { timeNs: 6n, pid: 9, tid: 9, kind: EventKind.fork, parent: 7, name: 'node' },
      { timeNs: 7n, ...base, kind: EventKind.exit },
    ]);
    const { processEvents, pids } = await shardOf(writeSegment(batch));
    expect(pids).toEqual([3, 7]);
    expect(processEvents.map(({ kind, pid, timeNs }) => [kind, pid, timeNs])).toEqual([
      [EventKind.process, 7, '1'],
      [EventKind.fork, 9, '6'],
      [EventKind.exit, 7, '7'],
    ]);
    expect(processEvents[0]).toMatchObject({
      name: 'node',
      parent: 1,
      detail: '{"startTicks":1}',
    });
  });

  it('reports losses with their range, and those whose detail is damaged', async () => {
    const loss = { kind: EventKind.loss, name: 'ring-full', count: 12n };
    const detail = JSON.stringify({ fromNs: '40', scope: 'cpu 1' });
    const batch = batchOf([
      { timeNs: 50n, ...loss, detail },
      { timeNs: 60n, ...loss, detail: '{' },
    ]);
    const { losses } = await shardOf(writeSegment(batch));
    const common = { host: 'shop-1', cause: 'ring-full', count: 12 };
    expect(losses).toEqual([
      { ...common, fromNs: '40', toNs: '50', scope: 'cpu 1' },
      { ...common, fromNs: '60', toNs: '60', scope: '' },
    ]);
  });

  it('keeps to the asked range, the first moment in, the last one out', async () => {
    const segment = writeSegment(touches([1n, 2n, 3n, 4n, 5n]));
    const range = { fromNs: '1001', toNs: '1003', partitions: 1 };
    const { tables, summary } = await shardOf(segment, range);
    expect([...tables[0]!.connection]).toEqual([2n, 3n]);
    expect(summary.rows).toBe(2);
    const outside = await shardOf(segment, { fromNs: '2000' });
    expect([outside.summary.rows, outside.pids]).toEqual([0, []]);
  });

  it('keeps what the segment says about connections and processes before the range', async () => {
    const connection = { kind: EventKind.connection, connection: 9n, remotePort: 80 };
    const described = batchOf([
      process(1n, { name: 'node' }),
      { timeNs: 2n, ...base, ...connection },
      { timeNs: 3n, kind: EventKind.loss, name: 'ring-full', count: 1n },
      { timeNs: 4n, ...base, kind: EventKind.send, connection: 9n },
    ]);
    const later = batchOf([
      { timeNs: 10n, ...base, kind: EventKind.send, connection: 9n },
      process(11n, { name: 'too late' }),
    ]);
    const range = { fromNs: '10', toNs: '11', partitions: 1 };
    const output = await shardOf(writeSegment(described, later), range);
    expect([...output.tables[0]!.kind]).toEqual([EventKind.connection, EventKind.send]);
    expect(output.processEvents.map(({ name }) => name)).toEqual(['node']);
    expect(output.losses).toEqual([]);
  });

  it('takes hints apart, with times after the base, and none from before the range', async () => {
    const second = 1_700_000_000_000_000_000n;
    const batch: Batch = {
      ...batchOf([
        { timeNs: second + 3n, pid: 7, tid: 8, kind: EventKind.wake },
        { timeNs: second + 4n, pid: 7, tid: 9, kind: EventKind.fork, parent: 8 },
        { timeNs: second + 5n, pid: 7, tid: 7, kind: EventKind.loop },
        { timeNs: second + 6n, pid: 6, tid: 6, kind: EventKind.fork, parent: 8 },
      ]),
      wakee: Uint32Array.of(9, 0, 0, 0),
      call: Uint16Array.of(202, 0, 0, 0),
      wait_call: Uint16Array.of(232, 0, 0, 0),
      wait_word: BigUint64Array.of(0x7fff_1234_5678n, 0n, 0n, 0n),
    };
    const changes = { baseNs: String(second) };
    const { hints, files } = await shardOf(writeSegment(batch), changes);
    expect(files).toEqual([undefined, undefined, undefined, undefined]);
    const table = await readTable(hints!, HINT_COLUMNS);
    expect([...table.time]).toEqual([3, 4, 5]);
    expect([...table.kind]).toEqual([EventKind.wake, EventKind.fork, EventKind.loop]);
    expect([...table.tid]).toEqual([8, 8, 7]);
    expect([...table.other]).toEqual([9, 9, 0]);
    expect([table.call[0], table.wait_call[0], table.wait_word[0]]).toEqual([
      202, 232, 0x7fff_1234_5678,
    ]);
    const range = { ...changes, fromNs: String(second + 5n) };
    const later = await readTable((await shardOf(writeSegment(batch), range)).hints!, HINT_COLUMNS);
    // A thread that was created before lives on; a wake is over.
    expect([...later.kind]).toEqual([EventKind.fork, EventKind.loop]);
  });

  it('writes no file where there is no row', async () => {
    const { files } = await shardOf(writeSegment(touches([1n])), { partitions: 3 });
    expect(files.filter((file) => file !== undefined)).toHaveLength(1);
    expect(files).toHaveLength(3);
    const empty = await shardOf(writeSegment());
    expect(empty.files).toEqual([undefined, undefined, undefined, undefined]);
    expect(empty.summary.rows).toBe(0);
    expect(empty.hints).toBeUndefined();
  });
});
