import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { HINT_COLUMNS, type HintTable } from '../model/hint.js';
import { takeRows } from '../model/tables.js';
import { readTable, writeTable } from '../store/table-file.js';
import { processFinder } from './process-finder.js';
import type { SortInput, SortOutput } from './tasks.js';

/** Row numbers of each group, in their order. */
function rowsByGroup(table: HintTable, groups: number): Uint32Array[] {
  const sizes = new Uint32Array(groups);
  for (let row = 0; row < table.rows; row++) sizes[table.process[row]! % groups]!++;
  const rows = Array.from(sizes, (size) => new Uint32Array(size));
  const filled = new Uint32Array(groups);
  for (let row = 0; row < table.rows; row++) {
    const group = table.process[row]! % groups;
    rows[group]![filled[group]!++] = row;
  }
  return rows;
}

/** The sort task: one segment's hints -> hints of known processes, by process group. */
export async function sortHints(input: SortInput): Promise<SortOutput> {
  const table = await readTable(input.file, HINT_COLUMNS);
  const processOf = processFinder(input.processes);
  for (let row = 0; row < table.rows; row++) {
    table.process[row] = processOf(input.host, table.pid[row]!, table.time[row]!);
  }
  await mkdir(input.directory, { recursive: true, mode: 0o700 });
  const files: (string | undefined)[] = [];
  for (const [group, rows] of rowsByGroup(table, input.groups).entries()) {
    const file = join(input.directory, `${group}.arrow`);
    if (rows.length > 0) await writeTable(file, HINT_COLUMNS, takeRows(HINT_COLUMNS, table, rows));
    files.push(rows.length > 0 ? file : undefined);
  }
  return { files };
}
