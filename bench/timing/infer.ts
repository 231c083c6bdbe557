/** Runs causality on an import, service by service, as the task of a reconstruction does. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { SOURCE_COLUMNS } from '../../src/model/imported.js';
import { VerdictCode } from '../../src/reconstruct/causality/decide.js';
import { inferCauses } from '../../src/reconstruct/causality/infer.js';
import { readImportedExchanges, sourcesPath } from '../../src/store/import-files.js';
import { readParquet } from '../../src/store/parquet-file.js';
import type { FoundLink } from './score.js';

export interface Inferred {
  readonly links: FoundLink[];
  readonly exchanges: number;
  /** CPU seconds of the inference alone. */
  readonly cpu: number;
}

/** @param directory of an import that fits one file */
export async function inferImport(directory: string, minConfidence?: number): Promise<Inferred> {
  const name = readdirSync(directory).find((file) => file.startsWith('exchanges-'))!;
  const exchanges = await readImportedExchanges(join(directory, name));
  const sources = await readParquet(sourcesPath(join(directory, name)), SOURCE_COLUMNS);
  const idOf = (row: number) => `${sources.source_trace_id[row]} ${sources.source_span_id[row]}`;
  const rowsOf = new Map<number, number[]>();
  for (const [row, process] of exchanges.process.entries()) {
    const known = rowsOf.get(process);
    if (known === undefined) rowsOf.set(process, [row]);
    else known.push(row);
  }
  const links: FoundLink[] = [];
  let cpu = 0;
  for (const rows of rowsOf.values()) {
    const before = process.cpuUsage();
    const { index, decisions } = inferCauses(exchanges, Uint32Array.from(rows), minConfidence);
    const { user, system } = process.cpuUsage(before);
    cpu += (user + system) / 1e6;
    const server = index.servers[0];
    for (let client = 0; client < index.clients.length; client++) {
      const row = index.clients[client]!;
      const best = decisions.best(client);
      const verdict = decisions.verdict[client];
      links.push({
        trace: sources.source_trace_id[row]!,
        span: sources.source_span_id[row]!,
        caller: server === undefined ? '' : exchanges.authority[server]!,
        best: best === -1 ? '' : idOf(index.servers[best]!),
        confidence: best === -1 ? 0 : decisions.bestConfidence(client),
        isLinked: verdict === VerdictCode.probable || verdict === VerdictCode.certain,
      });
    }
  }
  return { links, exchanges: exchanges.rows, cpu };
}
