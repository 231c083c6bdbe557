import { CodedError } from '../model/errors.js';
import { type EvidenceItem, parseEvidence } from '../model/evidence.js';
import { type LinkTable, type SpanTable, Verdict } from '../model/span.js';
import { readReconstruction } from '../store/span-store.js';
import { formatClock, formatDuration, formatShare } from './format.js';

interface Context {
  readonly spans: SpanTable;
  readonly links: LinkTable;
  readonly rowOf: ReadonlyMap<string, number>;
}

/** What a weight in nats means: 1.22 makes it 3.4 times as likely. */
function odds(weight: number): string {
  const times = Math.exp(Math.abs(weight));
  const figure = times >= 1000 ? 'over 1000' : String(Number(times.toPrecision(2)));
  return weight >= 0 ? `${figure} times as likely` : `${figure} times less likely`;
}

function momentOf(ns: bigint): string {
  return formatClock(String(ns), 0);
}

function describeSpan({ spans }: Context, row: number): string {
  const verb = spans.role[row] === 'server' ? 'answers' : 'calls';
  const status = spans.status[row] || 'no response';
  const duration = formatDuration(Number(spans.end_ns[row]! - spans.start_ns[row]!) / 1e6);
  return `${spans.service[row]} ${verb} ${spans.method[row]} ${spans.target[row]} -> ${status}, ${momentOf(spans.start_ns[row]!)}, ${duration}, span ${spans.span_id[row]}`;
}

function evidenceLines(items: readonly EvidenceItem[]): string[] {
  return [...items]
    .sort((a, b) => Math.abs(b.weight) - Math.abs(a.weight))
    .map(
      ({ rule, weight, text }) =>
        `      ${weight >= 0 ? 'for' : 'against'}: ${text} (${rule}: ${odds(weight)})`,
    );
}

/** The considered parents of a span, the best first, with what speaks for and against each. */
function candidateLines(context: Context, spanId: string): string[] {
  const { links, rowOf } = context;
  const lines: string[] = [];
  const first = links.span_id.indexOf(spanId);
  for (let at = first; at !== -1 && links.span_id[at] === spanId; at++) {
    const row = rowOf.get(links.candidate_span_id[at]!);
    const what = row === undefined ? links.candidate_span_id[at]! : describeSpan(context, row);
    const chosen = links.chosen[at] === 1 ? ' (chosen)' : '';
    lines.push(`  ${formatShare(links.confidence[at]!)}${chosen}: ${what}`);
    lines.push(...evidenceLines(parseEvidence(links.evidence[at]!)));
  }
  return lines;
}

function verdictLine({ spans }: Context, row: number): string {
  const candidates = spans.candidates[row]!;
  const confidence = formatShare(spans.parent_confidence[row] || 0);
  const rivals = candidates === 2 ? '1 rival' : `${Math.max(0, candidates - 1)} rivals`;
  switch (spans.parent_verdict[row]) {
    case Verdict.certain:
      return spans.parent_method[row] === 'hop'
        ? 'Its parent is certain: both ends of the connection were recorded, and the request has the same TCP sequence number at both.'
        : `Its parent is certain, by ${spans.parent_method[row]}; ${rivals}.`;
    case Verdict.probable:
      return `Its parent is inferred, mostly by ${spans.parent_method[row]}: ${confidence} sure; ${rivals}.`;
    case Verdict.unknown:
      return `Its parent is unknown: ${candidates} requests were possible, and the best reaches only ${confidence}, too little to link it.`;
    default:
      return candidates === 0
        ? 'It has no parent: no request was open that could have caused it.'
        : `It most probably belongs to none of the ${candidates} requests that were open then.`;
  }
}

/** Rows of the spans whose id begins with `prefix`. */
function findSpan(spans: SpanTable, prefix: string, input: string): number {
  const wanted = prefix.toLowerCase();
  const found = spans.span_id.flatMap((id, row) => (id.startsWith(wanted) ? [row] : []));
  if (found.length === 1) return found[0]!;
  const remedy = `Span ids are in ${input}/spans.parquet and in the report.`;
  if (found.length === 0) {
    throw new CodedError('INPUT', `no span's id begins with "${prefix}".`, input, remedy);
  }
  throw new CodedError(
    'INPUT',
    `"${prefix}" begins ${found.length} span ids.`,
    input,
    'Give more of it.',
  );
}

/**
 * Says in plain words why a span hangs where it hangs: the verdict, what speaks for its
 * parent and against it, and its rivals.
 *
 * @param input directory of a reconstruction
 * @param span id, or the beginning of one
 * @returns lines of text; captured text in them is as it was captured
 * @throws CodedError INPUT or UNSUPPORTED
 */
export async function explain(input: string, span: string): Promise<string[]> {
  const { spans, links } = await readReconstruction(input);
  const row = findSpan(spans, span, input);
  const rowOf = new Map(spans.span_id.map((id, at) => [id, at]));
  const context = { spans, links, rowOf };
  const spanId = spans.span_id[row]!;
  const parent = rowOf.get(spans.parent_span_id[row]!);
  const candidates = candidateLines(context, spanId);
  return [
    describeSpan(context, row),
    verdictLine(context, row),
    ...(parent === undefined ? [] : [`  parent: ${describeSpan(context, parent)}`]),
    ...(candidates.length === 0 ? [] : ['Considered, the most probable first:', ...candidates]),
  ];
}
