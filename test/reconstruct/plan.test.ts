import { describe, expect, it } from 'vitest';
import { groupsFor, makePlan, type PlannedSegment } from '../../src/reconstruct/plan.js';
import { readCatalog } from '../../src/store/catalog.js';
import { SegmentWriter } from '../../src/store/segment-writer.js';
import { sampleBatch, sampleHeader } from '../store/sample-events.js';
import { useTemporaryDirectories } from '../store/temporary.js';

const temporaryDirectory = useTemporaryDirectories();

function segment(host: string, fromNs: bigint, rows = 10, bootId = 'boot'): PlannedSegment {
  return { path: `${host}/${bootId}/${fromNs}.parquet`, host, bootId, rows, fromNs };
}

describe('makePlan', () => {
  it('numbers hosts by name and boot: after a reboot nothing belongs together', () => {
    const plan = makePlan([
      segment('a', 10n),
      segment('b', 5n),
      segment('a', 20n),
      segment('a', 30n, 10, 'later boot'),
    ]);
    expect(plan.hosts).toEqual([
      { host: 'a', bootId: 'boot' },
      { host: 'b', bootId: 'boot' },
      { host: 'a', bootId: 'later boot' },
    ]);
    expect(plan.segments.map(({ hostIndex }) => hostIndex)).toEqual([0, 1, 0, 2]);
  });

  it('counts time from the earliest segment of any host', () => {
    expect(makePlan([segment('a', 10n), segment('b', 5n), segment('a', 7n)]).baseNs).toBe(5n);
  });

  it('takes any number of hosts', () => {
    const segments = Array.from({ length: 500 }, (_, i) => segment(`host-${i}`, BigInt(i)));
    const plan = makePlan(segments);
    expect(plan.hosts).toHaveLength(500);
    expect(plan.segments[499]).toMatchObject({ hostIndex: 499, host: 'host-499' });
  });

  it.each([
    [0, 1],
    [1, 1],
    [250_000, 1],
    [250_001, 2],
    [25_000_000, 100],
    [10_000_000_000, 256],
  ])('spreads %i rows over %i partitions', (rows, partitions) => {
    const [half, rest] = [Math.floor(rows / 2), Math.ceil(rows / 2)];
    const plan = makePlan([segment('a', 1n, half), segment('b', 1n, rest)]);
    expect(plan.partitions).toBe(partitions);
  });

  it('leaves its input alone and gives the same plan again', () => {
    const segments = Object.freeze([segment('b', 2n), segment('a', 1n)].map(Object.freeze));
    expect(makePlan(segments as PlannedSegment[])).toEqual(makePlan(segments as PlannedSegment[]));
  });

  it('says what to do where there is no segment', () => {
    expect(() => makePlan([])).toThrow(
      expect.objectContaining({ code: 'INPUT', remedy: expect.stringContaining('record') }),
    );
  });
});

describe('a plan from a catalog', () => {
  it('is the same in whatever order directories and files are named', async () => {
    const directories = ['b-host', 'a-host', 'a-host'].map((host, i) => {
      const directory = temporaryDirectory();
      for (const sequence of [2, 1]) {
        const bootId = i === 2 ? 'boot-2' : 'boot-1';
        const startNs = String(1_790_000_000_000_000_000n + BigInt(sequence));
        const header = sampleHeader({ host, bootId, sequence, startNs });
        const writer = SegmentWriter.open(directory, header);
        writer.append(sampleBatch(20, i * 10 + sequence));
        writer.close();
      }
      return directory;
    });
    const plan = makePlan((await readCatalog(directories)).segments);
    const again = makePlan((await readCatalog([...directories].reverse())).segments);
    expect(again).toEqual(plan);
    const files = [...plan.segments].reverse().map(({ path }) => path);
    expect(makePlan((await readCatalog(files)).segments)).toEqual(plan);
    expect(plan.hosts).toEqual([
      { host: 'a-host', bootId: 'boot-1' },
      { host: 'a-host', bootId: 'boot-2' },
      { host: 'b-host', bootId: 'boot-1' },
    ]);
    expect(plan.segments.map(({ hostIndex }) => hostIndex)).toEqual([0, 0, 1, 1, 2, 2]);
  });
});

describe('groupsFor', () => {
  it('gives every process a group up to a bound, and one where there is none', () => {
    expect([0, 1, 31, 32, 10_000].map(groupsFor)).toEqual([1, 1, 31, 32, 32]);
  });
});
