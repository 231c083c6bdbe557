import { CodedError } from '../model/errors.js';
import { TOOL } from '../model/tool.js';
import { prepareImport, writeImport } from '../store/import-files.js';
import { orderExchanges } from './exchanges.js';
import { JAEGER } from './jaeger.js';
import { OTLP } from './otlp.js';
import { readDocuments } from './read-documents.js';
import type { ImportedSpan, SpanFormat } from './span.js';
import { TraceCollector } from './traces.js';
import { ZIPKIN } from './zipkin.js';

const FORMATS = { jaeger: JAEGER, otlp: OTLP, zipkin: ZIPKIN } as const;
export type FormatName = keyof typeof FORMATS;

export interface ImportOptions {
  readonly format: FormatName;
  readonly files: readonly string[];
  /** Directory for the exchanges. */
  readonly output: string;
  /** Leave out who caused which call, and all that could tell. */
  readonly forgetParents: boolean;
  /** Replace an import that is already there. */
  readonly force?: boolean;
  /** Spans read so far. */
  readonly onProgress?: (spans: number) => void;
  readonly signal?: AbortSignal;
}

/** A line, or a span of it, that could not be used. */
interface ImportProblem {
  readonly file: string;
  /** From 1; 0 where the file as a whole is meant. */
  readonly line: number;
  readonly reason: string;
}

export interface ImportResult {
  readonly format: FormatName;
  readonly parentsKept: boolean;
  readonly traces: number;
  readonly spans: number;
  readonly services: number;
  readonly serverExchanges: number;
  readonly clientExchanges: number;
  /** Client exchanges made because the file had the server's span alone. */
  readonly madeExchanges: number;
  readonly hops: number;
  /** Client exchanges whose request the file states. */
  readonly statedLinks: number;
  readonly internalSpans: number;
  readonly duplicateSpans: number;
  /** Spans whose parent the file names but does not hold. */
  readonly missingParents: number;
  /** How many lines and spans could not be used, and the first of them. */
  readonly badCount: number;
  readonly problems: readonly ImportProblem[];
}

const PROBLEMS_KEPT = 20;
const PROGRESS_EVERY = 10_000;

class Problems {
  count = 0;
  readonly first: ImportProblem[] = [];

  add(file: string, line: number, reason: string): void {
    this.count++;
    if (this.first.length < PROBLEMS_KEPT) this.first.push({ file, line, reason });
  }
}

/** An id in a target, or in its query, would tell of the trace that is to be forgotten. */
function withoutTraces(span: ImportedSpan): ImportedSpan {
  let target = span.request.target.replace(/[?#].*$/, '');
  for (const id of [span.traceId, span.spanId, span.parentId]) {
    if (id.length >= 8) target = target.replaceAll(id, '{id}');
  }
  return { ...span, request: { ...span.request, target } };
}

/** Reads the spans of all files into `collector`. */
async function readFiles(
  options: ImportOptions,
  format: SpanFormat,
  collector: TraceCollector,
  problems: Problems,
): Promise<void> {
  let told = 0;
  for (const file of options.files) {
    const before = problems.count + collector.spans;
    const complain = (line: number, reason: string) => problems.add(file, line, reason);
    for await (const { line, value } of readDocuments(file, complain)) {
      options.signal?.throwIfAborted();
      const parsed = format.parse(value);
      if (parsed === undefined) {
        complain(line, `holds no ${format.title} spans.`);
        continue;
      }
      for (const reason of parsed.problems) complain(line, `${reason}.`);
      for (const spans of parsed.traces) {
        collector.add(options.forgetParents ? spans.map(withoutTraces) : spans);
      }
      if (collector.spans - told < PROGRESS_EVERY) continue;
      told = collector.spans;
      options.onProgress?.(told);
    }
    if (problems.count + collector.spans === before) complain(0, 'holds no spans.');
  }
}

function nothingUsable(problems: Problems): CodedError {
  const [first] = problems.first;
  if (first === undefined) return new CodedError('INPUT', 'no file was given.');
  const place = first.line === 0 ? first.file : `${first.file}:${first.line}`;
  const remedy = 'Nothing could be imported: check the file and --from.';
  return new CodedError('INPUT', first.reason, place, remedy);
}

/**
 * Turns spans of other tracers into exchanges that `reconstruct` takes like a recording.
 * Times, services, operations and who is at the other end of a call come from the file;
 * addresses and numbers are made up. The same spans give the same bytes, whatever the
 * order of files, lines and spans.
 *
 * @throws CodedError INPUT when nothing is usable, OUTPUT when the output is not writable
 *   or already holds an import
 */
export async function importSpans(options: ImportOptions): Promise<ImportResult> {
  const format = FORMATS[options.format];
  const problems = new Problems();
  const collector = new TraceCollector(format.wholeTraces);
  await readFiles(options, format, collector, problems);
  const { drafts, traces, ...counts } = collector.finish();
  if (drafts.length === 0) throw nothingUsable(problems);
  const table = orderExchanges(drafts, !options.forgetParents);
  options.signal?.throwIfAborted();
  prepareImport(options.output, options.force ?? false);
  await writeImport(options.output, table, {
    tool: TOOL,
    format: options.format,
    parentsKept: !options.forgetParents,
  });
  const clients = drafts.filter(({ role }) => role === 'client');
  return {
    format: options.format,
    parentsKept: !options.forgetParents,
    traces,
    spans: collector.spans,
    services: table.services.length,
    serverExchanges: drafts.length - clients.length,
    clientExchanges: clients.length,
    madeExchanges: clients.filter(({ span, peer }) => span === peer?.span).length,
    hops: clients.filter(({ peer }) => peer !== undefined).length,
    statedLinks: clients.filter(({ cause }) => cause !== undefined).length,
    ...counts,
    badCount: problems.count,
    problems: problems.first,
  };
}
