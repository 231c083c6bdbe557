import { emptyTable } from '../../model/tables.js';
import { TableWriter } from '../../store/table-file.js';
import { CAUSE_COLUMNS, type CauseTable, NO_ROW } from './cause-table.js';
import { CANDIDATES_KEPT } from './decide.js';
import { EvidenceWriter } from './evidence-code.js';
import type { ProcessCauses } from './infer.js';

/** Rows that are written at a time. */
const ROWS_KEPT = 1 << 13;

/** Writes causes as they are found: only the last of them are in memory. */
export class CauseFile {
  private rows = 0;
  private readonly columns: CauseTable = emptyTable(CAUSE_COLUMNS, ROWS_KEPT);
  private readonly evidence = new EvidenceWriter();
  private readonly file: TableWriter<typeof CAUSE_COLUMNS>;

  /** @throws CodedError OUTPUT */
  constructor(path: string) {
    this.file = new TableWriter(path, CAUSE_COLUMNS);
  }

  /** Adds the causes of the calls that began in [from, to), ns. @throws CodedError OUTPUT */
  add(causes: ProcessCauses, from: number, to: number): void {
    const { index, decisions, knowledge } = causes;
    for (let client = 0; client < index.clients.length; client++) {
      const start = index.clientStart[client]!;
      if (start < from || start >= to) continue;
      if (this.rows + CANDIDATES_KEPT > ROWS_KEPT) this.flush();
      if (decisions.best(client) === -1) {
        this.addRow(causes, client, 0, NO_ROW, Number.NaN, '', '');
        continue;
      }
      const identity = knowledge.identities.by(client);
      const token = knowledge.tokens.textOf(client);
      this.evidence.load(causes, client);
      for (let place = 0; place < CANDIDATES_KEPT; place++) {
        const at = client * CANDIDATES_KEPT + place;
        const server = decisions.server[at]!;
        if (server === -1) break;
        this.evidence.write(causes, client, place);
        const confidence = decisions.confidence[at]!;
        this.addRow(causes, client, place, index.servers[server]!, confidence, identity, token);
      }
    }
  }

  private addRow(
    { index, decisions, knowledge }: ProcessCauses,
    client: number,
    rank: number,
    parent: number,
    confidence: number,
    identity: string,
    token: string,
  ): void {
    const { columns } = this;
    const row = this.rows++;
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
    columns.token[row] = token;
  }

  private flush(): void {
    const { columns, rows } = this;
    this.file.append({
      ...columns,
      rows,
      evidence: { offsets: columns.evidence.offsets, data: this.evidence.data },
      identity: columns.identity.slice(0, rows),
      token: columns.token.slice(0, rows),
    });
    this.rows = 0;
    this.evidence.clear();
  }

  /** Makes the file appear. @throws CodedError OUTPUT */
  commit(): void {
    this.flush();
    this.file.commit();
  }

  /** Leaves no file behind. */
  abandon(): void {
    this.file.abandon();
  }
}
