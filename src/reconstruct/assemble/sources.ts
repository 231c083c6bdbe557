import { readSources } from '../../store/import-files.js';

/** By span id: the ids that an imported span had in its file. */
export type Sources = ReadonlyMap<string, { readonly traceId: string; readonly spanId: string }>;

/**
 * Reads the ids that imported spans had. They meet their exchanges here, after every
 * link is decided. @throws CodedError INPUT
 */
export async function readAllSources(files: readonly string[]): Promise<Sources> {
  const sources = new Map<string, { traceId: string; spanId: string }>();
  for (const file of files) {
    const table = await readSources(file);
    for (const [row, id] of table.span_id.entries()) {
      const traceId = table.source_trace_id[row]!;
      sources.set(id, { traceId, spanId: table.source_span_id[row]! });
    }
  }
  return sources;
}
