import type { ColumnSpecs, TableOf } from '../../model/columns.js';
import { EXCHANGE_COLUMNS } from '../../model/exchange.js';
import { HINT_COLUMNS } from '../../model/hint.js';
import { concatParts, readTable } from '../../store/table-file.js';
import type { CausalityInput, CausalityOutput } from '../tasks.js';
import { CauseFile } from './cause-file.js';
import { ClassNumbers } from './class-numbers.js';
import { hintsOf, NO_HINTS } from './process-hints.js';
import { CAUSAL_COLUMNS } from './process-index.js';
import { WindowedCauses } from './windows.js';

const HINT_NAMES = Object.keys(HINT_COLUMNS) as (keyof typeof HINT_COLUMNS)[];

/** Rows of each process, rising, in process order. */
function rowsByProcess(table: { rows: number; process: Uint32Array }): Map<number, Uint32Array> {
  const { rows, process } = table;
  const numbers = new ClassNumbers();
  const of = new Uint32Array(rows);
  for (let row = 0; row < rows; row++) of[row] = numbers.of(process[row]!);
  const starts = new Uint32Array(numbers.count + 1);
  const names = new Uint32Array(numbers.count);
  for (let row = 0; row < rows; row++) {
    starts[of[row]! + 1]!++;
    names[of[row]!] = process[row]!;
  }
  for (let i = 0; i < numbers.count; i++) starts[i + 1]! += starts[i]!;
  const next = starts.slice();
  const sorted = new Uint32Array(rows);
  for (let row = 0; row < rows; row++) sorted[next[of[row]!]!++] = row;
  const lists = Array.from(names, (name, i): [number, Uint32Array] => [
    name,
    sorted.subarray(starts[i], starts[i + 1]),
  ]);
  return new Map(lists.sort(([a], [b]) => a - b));
}

/** The columns `names` of several files, one after another. */
async function readParts<S extends ColumnSpecs, K extends keyof S & string>(
  specs: S,
  names: readonly K[],
  files: readonly string[],
): Promise<Pick<TableOf<S>, K | 'rows'>> {
  const parts: Pick<TableOf<S>, K | 'rows'>[] = [];
  for (const file of files) parts.push(await readTable(file, specs, names));
  return parts.length === 1 ? parts[0]! : concatParts(specs, names, parts);
}

/** The causality task: exchanges of a group of processes -> considered parents of every call. */
export async function findCauses(input: CausalityInput): Promise<CausalityOutput> {
  const exchanges = await readParts(EXCHANGE_COLUMNS, CAUSAL_COLUMNS, input.exchanges);
  const hints = await readParts(HINT_COLUMNS, HINT_NAMES, input.hints);
  const hintRows = rowsByProcess(hints);
  const file = new CauseFile(input.output);
  const models: { process: number; model: string }[] = [];
  const audits: CausalityOutput['audits'][number][] = [];
  try {
    for (const [process, rows] of rowsByProcess(exchanges)) {
      const own = hintRows.get(process);
      const processHints = own === undefined ? NO_HINTS : hintsOf(hints, own);
      const found = new WindowedCauses(
        exchanges,
        rows,
        processHints,
        input.minConfidence,
        input.tokens === false,
      );
      found.run((causes, from, to) => file.add(causes, from, to));
      models.push({ process, model: found.model });
      if (found.audit !== undefined) audits.push({ process, ...found.audit });
    }
    file.commit();
  } catch (error) {
    file.abandon();
    throw error;
  }
  return { file: input.output, models, audits };
}
