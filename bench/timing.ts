/**
 * How many parents timing alone finds: imports Jaeger traces with --forget-parents,
 * reconstructs them, and compares with the parents that the files state.
 *
 *   npm run bench:timing -- [FILE.jsonl.gz ...] [--min-confidence 0.5]
 *
 * Without files it takes those of ../shared/data/traceweaver, and says so if they are absent.
 * The truth is read here from the files themselves, not by the import under test.
 */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { cpus, release, tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { parseArgs } from 'node:util';
import { gunzipSync } from 'node:zlib';
import { importSpans } from '../src/import/import.js';
import { reconstruct } from '../src/reconstruct/reconstruct.js';
import { readReconstruction } from '../src/store/span-store.js';

const DATA = join(import.meta.dirname, '../../shared/data/traceweaver');
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { 'min-confidence': { type: 'string' } },
});

interface JaegerSpan {
  readonly spanID: string;
  readonly processID: string;
  readonly references?: readonly { readonly spanID: string }[];
  readonly tags?: readonly { readonly key: string; readonly value: unknown }[];
}

interface JaegerTrace {
  readonly traceID: string;
  readonly spans: readonly JaegerSpan[];
  readonly processes: Readonly<Record<string, { readonly serviceName: string }>>;
}

interface Truth {
  /** By trace and span id: span id of the request that caused the call. */
  readonly requestOf: Map<string, string>;
  /** Services by how many services call them. */
  readonly callers: Map<string, Set<string>>;
  readonly traces: number;
}

function readTruth(path: string): Truth {
  const truth: Truth = { requestOf: new Map(), callers: new Map(), traces: 0 };
  const lines = gunzipSync(readFileSync(path)).toString().trim().split('\n');
  for (const line of lines) addTrace(JSON.parse(line) as JaegerTrace, truth);
  return { ...truth, traces: lines.length };
}

function addTrace({ traceID, spans, processes }: JaegerTrace, truth: Truth): void {
  const byId = new Map(spans.map((span) => [span.spanID, span]));
  const serviceOf = (span: JaegerSpan) => processes[span.processID]!.serviceName;
  const parentOf = (span: JaegerSpan) => byId.get(span.references?.[0]?.spanID ?? '');
  const kindOf = (span: JaegerSpan) => span.tags?.find(({ key }) => key === 'span.kind')?.value;
  const hasClients = spans.some((span) => kindOf(span) === 'client' && parentOf(span));
  const isRequest = (span: JaegerSpan) => {
    const parent = parentOf(span);
    if (parent === undefined) return true;
    return hasClients ? kindOf(span) === 'server' : serviceOf(parent) !== serviceOf(span);
  };
  for (const span of spans) {
    const parent = parentOf(span);
    if (parent === undefined) continue;
    if (isRequest(span)) {
      const known = truth.callers.get(serviceOf(span)) ?? new Set<string>();
      truth.callers.set(serviceOf(span), known.add(serviceOf(parent)));
    }
    const isCall = hasClients ? kindOf(span) === 'client' : isRequest(span);
    if (!isCall) continue;
    let request = parent;
    while (!isRequest(request)) request = parentOf(request)!;
    truth.requestOf.set(`${traceID} ${span.spanID}`, request.spanID);
  }
}

async function score(path: string): Promise<void> {
  const truth = readTruth(path);
  const scratch = mkdtempSync(join(tmpdir(), 'aftertrace-timing-'));
  const imported = join(scratch, 'imported');
  const output = join(scratch, 'out');
  await importSpans({ format: 'jaeger', files: [path], output: imported, forgetParents: true });
  const before = process.cpuUsage();
  const least = values['min-confidence'];
  await reconstruct({
    inputs: [imported],
    output,
    ...(least !== undefined && { minConfidence: Number(least) }),
  });
  const { user, system } = process.cpuUsage(before);
  const { spans } = await readReconstruction(output);
  const rowOf = new Map(spans.span_id.map((id, row) => [id, row]));
  const counts = { right: 0, wrong: 0, unknown: 0 };
  const broken = { simple: new Set<string>(), any: new Set<string>() };
  let scored = 0;
  for (let row = 0; row < spans.rows; row++) {
    if (spans.role[row] !== 'client') continue;
    const trace = spans.source_trace_id[row]!;
    const wanted = truth.requestOf.get(`${trace} ${spans.source_span_id[row]}`);
    if (wanted === undefined) continue;
    scored++;
    const parent = rowOf.get(spans.parent_span_id[row]!);
    const isRight =
      parent !== undefined &&
      spans.source_span_id[parent] === wanted &&
      spans.source_trace_id[parent] === trace;
    counts[parent === undefined ? 'unknown' : isRight ? 'right' : 'wrong']++;
    if (isRight) continue;
    broken.any.add(trace);
    if ((truth.callers.get(spans.service[row]!)?.size ?? 0) < 2) broken.simple.add(trace);
  }
  if (scored !== truth.requestOf.size) {
    console.error(
      `${basename(path)}: ${truth.requestOf.size - scored} calls of the file were not found again`,
    );
  }
  const percent = (part: number, whole: number) => `${((part / whole) * 100).toFixed(2)} %`;
  const linked = counts.right + counts.wrong;
  const cells = [
    basename(path, '.jsonl.gz'),
    percent(truth.traces - broken.simple.size, truth.traces),
    percent(truth.traces - broken.any.size, truth.traces),
    percent(counts.right, truth.requestOf.size),
    percent(counts.wrong, truth.requestOf.size),
    percent(counts.unknown, truth.requestOf.size),
    percent(counts.wrong, linked),
    `${((user + system) / 1e6).toFixed(1)} s`,
    String(spans.rows),
  ];
  console.log(`| ${cells.join(' | ')} |`);
  rmSync(scratch, { recursive: true, force: true });
}

if (positionals.length === 0 && !existsSync(DATA)) {
  console.error(`SKIPPED: ${DATA} is absent, and no file was named.`);
  process.exit(0);
}
const files =
  positionals.length > 0
    ? positionals
    : readdirSync(DATA)
        .filter((name) => name.endsWith('.jsonl.gz'))
        .sort()
        .map((name) => join(DATA, name));
const machine = `${cpus()[0]?.model ?? 'unknown'} x ${cpus().length}, Linux ${release()}, Node ${process.version}`;
console.log(`${new Date().toISOString().slice(0, 10)}, ${machine}\n`);
console.log(
  '| file | traces whole (services with one caller) | traces whole (all) | links right | wrong | unknown | wrong of linked | CPU | exchanges |',
);
console.log('|---|---|---|---|---|---|---|---|---|');
for (const file of files) await score(file);
