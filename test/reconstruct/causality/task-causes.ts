import { join } from 'node:path';
import { EXCHANGE_COLUMNS } from '../../../src/model/exchange.js';
import { findCauses } from '../../../src/reconstruct/causality/causality.js';
import { CAUSE_COLUMNS } from '../../../src/reconstruct/causality/cause-table.js';
import { EvidenceTexts } from '../../../src/reconstruct/causality/explain.js';
import { readTable, writeTable } from '../../../src/store/table-file.js';
import { type Row, tableOf } from './simulate.js';

/** What the causality task writes about simulated exchanges, read back. */
export async function causesOf(simulated: readonly Row[], directory: string) {
  const input = join(directory, 'exchanges.arrow');
  const output = join(directory, 'causes.arrow');
  await writeTable(input, EXCHANGE_COLUMNS, tableOf(simulated).exchanges);
  await findCauses({ exchanges: [input], hints: [], output });
  const causes = await readTable(output, CAUSE_COLUMNS);
  return { causes, texts: new EvidenceTexts(causes) };
}
