import { EXCHANGE_COLUMNS, type ExchangeTable } from '../../model/exchange.js';
import { concatTables, emptyTable } from '../../model/tables.js';
import { readTable, writeTable } from '../../store/table-file.js';
import type { CausalityInput, CausalityOutput } from '../tasks.js';
import { CAUSE_COLUMNS, type CauseTable, NO_ROW } from './cause-table.js';
import { explainCandidate, strongestRule } from './explain.js';
import { inferCauses, type ProcessCauses } from './infer.js';

/** Rows of each process, in process order. */
function rowsByProcess(exchanges: ExchangeTable): Map<number, Uint32Array> {
  const lists = new Map<number, number[]>();
  for (let row = 0; row < exchanges.rows; row++) {
    const process = exchanges.process[row]!;
    const list = lists.get(process);
    if (list === undefined) lists.set(process, [row]);
    else list.push(row);
  }
  const ordered = [...lists].sort(([a], [b]) => a - b);
  return new Map(ordered.map(([process, rows]) => [process, Uint32Array.from(rows)]));
}

interface CauseRow {
  readonly clientRow: number;
  readonly parentRow: number;
  readonly rank: number;
  readonly verdict: string;
  readonly confidence: number;
  readonly candidates: number;
  readonly method: string;
  readonly evidence: string;
}

function rowsOf({ index, decisions }: ProcessCauses): CauseRow[] {
  return decisions.flatMap((decision, client): CauseRow[] => {
    const clientRow = index.clients[client]!;
    const { verdict } = decision;
    const { count } = decision;
    if (count === 0) {
      return [
        {
          clientRow,
          parentRow: NO_ROW,
          rank: 0,
          verdict,
          confidence: Number.NaN,
          candidates: 0,
          method: '',
          evidence: '[]',
        },
      ];
    }
    return decision.candidates.map((candidate, rank) => {
      const items = explainCandidate(decision, candidate);
      return {
        clientRow,
        parentRow: index.servers[candidate.server]!,
        rank,
        verdict,
        confidence: candidate.confidence,
        candidates: Math.min(0xffff, count),
        method: strongestRule(items),
        evidence: JSON.stringify(items),
      };
    });
  });
}

function toTable(rows: readonly CauseRow[]): CauseTable {
  return {
    ...emptyTable(CAUSE_COLUMNS, 0),
    rows: rows.length,
    client_row: Uint32Array.from(rows, (row) => row.clientRow),
    parent_row: Uint32Array.from(rows, (row) => row.parentRow),
    rank: Uint16Array.from(rows, (row) => row.rank),
    verdict: rows.map((row) => row.verdict),
    confidence: Float64Array.from(rows, (row) => row.confidence),
    candidates: Uint16Array.from(rows, (row) => row.candidates),
    method: rows.map((row) => row.method),
    evidence: rows.map((row) => row.evidence),
  };
}

/** The causality task: exchanges of a group of processes -> considered parents of every call. */
export async function findCauses(input: CausalityInput): Promise<CausalityOutput> {
  const tables: ExchangeTable[] = [];
  for (const file of input.exchanges) tables.push(await readTable(file, EXCHANGE_COLUMNS));
  const exchanges = concatTables(EXCHANGE_COLUMNS, tables);
  const rows: CauseRow[] = [];
  const models: { process: number; model: string }[] = [];
  for (const [process, processRows] of rowsByProcess(exchanges)) {
    const causes = inferCauses(exchanges, processRows, input.minConfidence);
    rows.push(...rowsOf(causes));
    models.push({ process, model: causes.model });
  }
  rows.sort((a, b) => a.clientRow - b.clientRow || a.rank - b.rank);
  await writeTable(input.output, CAUSE_COLUMNS, toTable(rows));
  return { file: input.output, models };
}
