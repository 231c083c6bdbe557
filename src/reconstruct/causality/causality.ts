import type { ColumnSpecs, TableOf } from '../../model/columns.js';
import { EXCHANGE_COLUMNS, Role } from '../../model/exchange.js';
import { HINT_COLUMNS } from '../../model/hint.js';
import { emptyTable, takeRows } from '../../model/tables.js';
import { concatParts, readTable, writeTable } from '../../store/table-file.js';
import type { CausalityInput, CausalityOutput } from '../tasks.js';
import { auditProcess } from './audit.js';
import { CAUSE_COLUMNS, type CauseTable, NO_ROW } from './cause-table.js';
import { ClassNumbers } from './class-numbers.js';
import { CANDIDATES_KEPT } from './decide.js';
import { EvidenceWriter } from './evidence-code.js';
import { inferCauses, type ProcessCauses } from './infer.js';
import { hintsOf, NO_HINTS } from './process-hints.js';
import { CAUSAL_COLUMNS } from './process-index.js';
import { orderByTime } from './time-order.js';

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

/** Collects rows of causes in columns. */
class CauseRows {
  private rows = 0;
  /** With room for CANDIDATES_KEPT rows of each call. */
  private readonly columns: CauseTable;
  private readonly evidence = new EvidenceWriter();
  /** Whether the rows came in the order of the table. */
  private isOrdered = true;

  /** @param calls how many there are in all */
  constructor(calls: number) {
    this.columns = emptyTable(CAUSE_COLUMNS, calls * CANDIDATES_KEPT);
  }

  addAll(causes: ProcessCauses): void {
    const { index, decisions, knowledge } = causes;
    for (let client = 0; client < index.clients.length; client++) {
      if (decisions.best(client) === -1) {
        this.add(causes, client, 0, NO_ROW, Number.NaN, '');
        continue;
      }
      const identity = knowledge.identities.by(client);
      this.evidence.load(causes, client);
      for (let place = 0; place < CANDIDATES_KEPT; place++) {
        const at = client * CANDIDATES_KEPT + place;
        const server = decisions.server[at]!;
        if (server === -1) break;
        this.evidence.write(causes, client, place);
        this.add(
          causes,
          client,
          place,
          index.servers[server]!,
          decisions.confidence[at]!,
          identity,
        );
      }
    }
  }

  private add(
    { index, decisions, knowledge }: ProcessCauses,
    client: number,
    rank: number,
    parent: number,
    confidence: number,
    identity: string,
  ): void {
    const { columns } = this;
    const row = this.rows++;
    if (row > 0 && columns.client_row[row - 1]! > index.clients[client]!) this.isOrdered = false;
    columns.client_row[row] = index.clients[client]!;
    columns.parent_row[row] = parent;
    columns.rank[row] = rank;
    columns.verdict[row] = decisions.verdict[client]!;
    columns.confidence[row] = confidence;
    columns.candidates[row] = Math.min(0xffff, knowledge.candidates.count[client]!);
    columns.evidence.offsets[row + 1] = this.evidence.length;
    columns.gap[row] = knowledge.context.gap[client]!;
    columns.wake_gap[row] = knowledge.context.wakeGap[client]!;
    columns.identity[row] = identity;
  }

  /** By client row, then rank: of one call the rows were added in the order of their ranks. */
  table(): CauseTable {
    const { columns, rows } = this;
    columns.identity.length = rows;
    const evidence = { offsets: columns.evidence.offsets, data: this.evidence.data };
    const table = { ...columns, rows, evidence };
    if (this.isOrdered) return table;
    const order = orderByTime(new Float64Array(columns.client_row.subarray(0, rows)));
    return takeRows(CAUSE_COLUMNS, table, order);
  }
}

/** The causality task: exchanges of a group of processes -> considered parents of every call. */
export async function findCauses(input: CausalityInput): Promise<CausalityOutput> {
  const exchanges = await readParts(EXCHANGE_COLUMNS, CAUSAL_COLUMNS, input.exchanges);
  const hints = await readParts(HINT_COLUMNS, HINT_NAMES, input.hints);
  const hintRows = rowsByProcess(hints);
  let calls = 0;
  for (let row = 0; row < exchanges.rows; row++) if (exchanges.role[row] === Role.client) calls++;
  const rows = new CauseRows(calls);
  const models: { process: number; model: string }[] = [];
  const audits: CausalityOutput['audits'][number][] = [];
  for (const [process, processRows] of rowsByProcess(exchanges)) {
    const own = hintRows.get(process);
    const processHints = own === undefined ? NO_HINTS : hintsOf(hints, own);
    const causes = inferCauses(exchanges, processRows, input.minConfidence, processHints);
    rows.addAll(causes);
    models.push({ process, model: causes.model });
    const audit = auditProcess(causes, exchanges, processRows, input.minConfidence, processHints);
    if (audit !== undefined) audits.push({ process, ...audit });
  }
  await writeTable(input.output, CAUSE_COLUMNS, rows.table());
  return { file: input.output, models, audits };
}
