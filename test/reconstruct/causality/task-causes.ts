import { join } from 'node:path';
import { EXCHANGE_COLUMNS } from '../../../src/model/exchange.js';
import { HINT_COLUMNS } from '../../../src/model/hint.js';
import { emptyTable } from '../../../src/model/tables.js';
import { findCauses } from '../../../src/reconstruct/causality/causality.js';
import { CAUSE_COLUMNS } from '../../../src/reconstruct/causality/cause-table.js';
import { EvidenceTexts } from '../../../src/reconstruct/causality/explain.js';
import { NO_HINTS, type ProcessHints } from '../../../src/reconstruct/causality/process-hints.js';
import { readTable, writeTable } from '../../../src/store/table-file.js';
import { type Row, tableOf } from './simulate.js';

/** What the causality task writes about simulated exchanges and hints, read back. */
export async function causesOf(
  simulated: readonly Row[],
  directory: string,
  { count, kind, time, tid, other, age }: ProcessHints = NO_HINTS,
) {
  const input = join(directory, 'exchanges.arrow');
  const output = join(directory, 'causes.arrow');
  await writeTable(input, EXCHANGE_COLUMNS, tableOf(simulated).exchanges);
  const hints = join(directory, 'hints.arrow');
  const own = { kind, time, tid, other, wait_word: age };
  await writeTable(hints, HINT_COLUMNS, { ...emptyTable(HINT_COLUMNS, count), ...own });
  await findCauses({ exchanges: [input], hints: count === 0 ? [] : [hints], output });
  const causes = await readTable(output, CAUSE_COLUMNS);
  return { causes, texts: new EvidenceTexts(causes) };
}
