import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { EventKind } from '../../src/model/event.js';
import { HINT_COLUMNS } from '../../src/model/hint.js';
import type { ProcessRecord } from '../../src/model/process.js';
import { emptyTable } from '../../src/model/tables.js';
import { sortHints } from '../../src/reconstruct/sort-hints.js';
import { readTable, writeTable } from '../../src/store/table-file.js';
import { useTemporaryDirectories } from '../store/temporary.js';

const temporaryDirectory = useTemporaryDirectories();

function life(host: number, pid: number, from: number, to: number): ProcessRecord {
  const rest = { name: '', executable: '', command: [], cgroup: '', parentPid: 0, service: '' };
  return { host, pid, from, to, ...rest };
}

describe('sortHints', () => {
  it('gives every hint to the life of the pid that it fell into, on its host', async () => {
    const directory = temporaryDirectory();
    const file = join(directory, 'hints.arrow');
    await writeTable(file, HINT_COLUMNS, {
      ...emptyTable(HINT_COLUMNS, 4),
      pid: Uint32Array.of(5, 5, 6, 5),
      kind: new Uint8Array(4).fill(EventKind.loop),
      time: Float64Array.of(10, 20, 15, 30),
    });
    const processes = [
      life(0, 5, -Infinity, Infinity),
      life(1, 5, -Infinity, 20),
      life(1, 5, 20, Infinity),
      life(1, 6, -Infinity, Infinity),
    ];
    const out = join(directory, 'sorted');
    const { files } = await sortHints({ file, host: 1, processes, directory: out, groups: 3 });
    const tables = await Promise.all(
      files.map((path) => (path === undefined ? undefined : readTable(path, HINT_COLUMNS))),
    );
    // Process 1 in group 1, process 2 in group 2, process 3 in group 0; none of host 0's.
    expect(tables.map((table) => [...table!.time])).toEqual([[15], [10], [20, 30]]);
    expect(tables.map((table) => [...table!.process])).toEqual([[3], [1], [2, 2]]);
  });

  it('writes no file for a group without hints', async () => {
    const directory = temporaryDirectory();
    const file = join(directory, 'hints.arrow');
    const table = { ...emptyTable(HINT_COLUMNS, 1), pid: Uint32Array.of(5) };
    await writeTable(file, HINT_COLUMNS, table);
    const processes = [life(0, 5, -Infinity, Infinity)];
    const { files } = await sortHints({ file, host: 0, processes, directory, groups: 2 });
    expect(files.map((path) => path !== undefined)).toEqual([true, false]);
  });
});
