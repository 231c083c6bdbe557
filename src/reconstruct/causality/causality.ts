import { EXCHANGE_COLUMNS, type ExchangeTable } from '../../model/exchange.js';
import { HINT_COLUMNS, type HintTable } from '../../model/hint.js';
import { Verdict } from '../../model/span.js';
import { concatTables, emptyTable } from '../../model/tables.js';
import { readTable, writeTable } from '../../store/table-file.js';
import type { CausalityInput, CausalityOutput } from '../tasks.js';
import { auditProcess } from './audit.js';
import { CAUSE_COLUMNS, type CauseTable, NO_ROW } from './cause-table.js';
import { CANDIDATES_KEPT } from './decide.js';
import { Explainer, strongestRule } from './explain.js';
import { inferCauses, type ProcessCauses } from './infer.js';
import { hintsOf, NO_HINTS } from './process-hints.js';

/** In the order of VerdictCode. */
const VERDICTS = [Verdict.root, Verdict.certain, Verdict.probable, Verdict.unknown] as const;

/** Rows of each process, in process order. */
function rowsByProcess(table: { rows: number; process: Uint32Array }): Map<number, Uint32Array> {
  const lists = new Map<number, number[]>();
  for (let row = 0; row < table.rows; row++) {
    const process = table.process[row]!;
    const list = lists.get(process);
    if (list === undefined) lists.set(process, [row]);
    else list.push(row);
  }
  const ordered = [...lists].sort(([a], [b]) => a - b);
  return new Map(ordered.map(([process, rows]) => [process, Uint32Array.from(rows)]));
}

/** Collects rows of causes in columns. */
class CauseRows {
  private readonly clientRow: number[] = [];
  private readonly parentRow: number[] = [];
  private readonly rank: number[] = [];
  private readonly verdict: string[] = [];
  private readonly confidence: number[] = [];
  private readonly candidates: number[] = [];
  private readonly method: string[] = [];
  private readonly evidence: string[] = [];

  addAll(causes: ProcessCauses): void {
    const { index, decisions, knowledge } = causes;
    const explainer = new Explainer(causes);
    for (let client = 0; client < index.clients.length; client++) {
      const row = index.clients[client]!;
      const verdict = VERDICTS[decisions.verdict[client]!]!;
      const count = Math.min(0xffff, knowledge.candidates.count[client]!);
      if (decisions.best(client) === -1) {
        this.add(row, NO_ROW, 0, verdict, Number.NaN, count, '', '[]');
        continue;
      }
      explainer.load(client);
      for (let place = 0; place < CANDIDATES_KEPT; place++) {
        const at = client * CANDIDATES_KEPT + place;
        const server = decisions.server[at]!;
        if (server === -1) break;
        const items = explainer.items(client, place);
        const evidence = JSON.stringify(items);
        const parent = index.servers[server]!;
        const confidence = decisions.confidence[at]!;
        this.add(row, parent, place, verdict, confidence, count, strongestRule(items), evidence);
      }
    }
  }

  private add(
    clientRow: number,
    parentRow: number,
    rank: number,
    verdict: string,
    confidence: number,
    candidates: number,
    method: string,
    evidence: string,
  ): void {
    this.clientRow.push(clientRow);
    this.parentRow.push(parentRow);
    this.rank.push(rank);
    this.verdict.push(verdict);
    this.confidence.push(confidence);
    this.candidates.push(candidates);
    this.method.push(method);
    this.evidence.push(evidence);
  }

  /** By client row, then rank. */
  table(): CauseTable {
    const { clientRow, rank } = this;
    const order = Uint32Array.from(clientRow.keys()).sort(
      (a, b) => clientRow[a]! - clientRow[b]! || rank[a]! - rank[b]!,
    );
    return {
      ...emptyTable(CAUSE_COLUMNS, 0),
      rows: order.length,
      client_row: order.map((i) => clientRow[i]!),
      parent_row: order.map((i) => this.parentRow[i]!),
      rank: Uint16Array.from(order, (i) => rank[i]!),
      verdict: Array.from(order, (i) => this.verdict[i]!),
      confidence: Float64Array.from(order, (i) => this.confidence[i]!),
      candidates: Uint16Array.from(order, (i) => this.candidates[i]!),
      method: Array.from(order, (i) => this.method[i]!),
      evidence: Array.from(order, (i) => this.evidence[i]!),
    };
  }
}

/** The causality task: exchanges of a group of processes -> considered parents of every call. */
export async function findCauses(input: CausalityInput): Promise<CausalityOutput> {
  const tables: ExchangeTable[] = [];
  for (const file of input.exchanges) tables.push(await readTable(file, EXCHANGE_COLUMNS));
  const exchanges = concatTables(EXCHANGE_COLUMNS, tables);
  const hintTables: HintTable[] = [];
  for (const file of input.hints) hintTables.push(await readTable(file, HINT_COLUMNS));
  const hints = concatTables(HINT_COLUMNS, hintTables);
  const hintRows = rowsByProcess(hints);
  const rows = new CauseRows();
  const models: { process: number; model: string }[] = [];
  const audits: CausalityOutput['audits'][number][] = [];
  for (const [process, processRows] of rowsByProcess(exchanges)) {
    const own = hintRows.get(process);
    const processHints = own === undefined ? NO_HINTS : hintsOf(hints, own);
    const isTokenless = input.tokens === false;
    const least = input.minConfidence;
    const causes = inferCauses(exchanges, processRows, least, processHints, false, isTokenless);
    rows.addAll(causes);
    models.push({ process, model: causes.model });
    const audit = auditProcess(causes, exchanges, processRows, least, processHints, isTokenless);
    if (audit !== undefined) audits.push({ process, ...audit });
  }
  await writeTable(input.output, CAUSE_COLUMNS, rows.table());
  return { file: input.output, models, audits };
}
