import type { Comparison, Report, Stats } from '../contract.js';
import {
  formatClock,
  formatCount,
  formatDuration,
  formatOptional,
  formatPart,
  formatRange,
  formatShare,
} from '../format.js';
import { codeSpan as code } from '../text.js';
import { changeOf, describeStats, failedShare } from './change.js';
import { markdownTable, mermaidLabel, plain } from './markdown-text.js';

/** Traces listed: the page holds the rest. */
const MAX_TRACES = 10;
const TO_FILL = '_To be filled in by the responders._';

function versus({ before, during }: Comparison, value: (stats: Stats) => string): string {
  return before === null ? value(during) : `${value(before)} → ${value(during)}`;
}

function comparedCells(row: Comparison): string[] {
  const failed = (stats: Stats) =>
    stats.failed === 0 ? '0' : `${formatCount(stats.failed)} (${formatShare(failedShare(stats))})`;
  return [
    versus(row, (stats) => formatCount(stats.requests)),
    versus(row, failed),
    versus(row, (stats) => formatOptional(stats.p50Ms)),
    versus(row, (stats) => formatOptional(stats.p95Ms)),
    versus(row, (stats) => formatOptional(stats.p99Ms)),
  ];
}

const COMPARED = ['requests', 'failed', 'p50', 'p95', 'p99'];

function summary({ conclusion }: Report): string {
  const { headline, sentences, caveats } = conclusion;
  const lines = [`**${plain(headline)}**`, '', ...sentences.map(({ text }) => `- ${plain(text)}`)];
  if (caveats.length > 0) {
    lines.push('', 'What weakens this:', '', ...caveats.map((text) => `- ${plain(text)}`));
  }
  return lines.join('\n');
}

function quality({ quality: facts, epochNs }: Report): string {
  const lines = facts.notes.map(
    ({ level, label, text }) => `- **${level}: ${plain(label)}.** ${plain(text)}`,
  );
  for (const loss of facts.losses) {
    lines.push(
      `- lost on ${code(loss.host)}: ${formatCount(loss.count)} ${plain(loss.scope)} (${plain(loss.cause)}), ${formatClock(epochNs, loss.fromMs)} to ${formatClock(epochNs, loss.toMs)}`,
    );
  }
  for (const { file, reason } of facts.unreadable)
    lines.push(`- not read: ${code(file)}: ${plain(reason)}`);
  return lines.join('\n');
}

function timeline({ windows, epochNs, range, errors }: Report): string {
  const events: [number, string][] = [[range.fromMs, 'recording begins']];
  if (windows.incident !== null) {
    const how =
      windows.incidentSource === 'given'
        ? 'as given'
        : 'failed and slow requests stand out from here';
    events.push(
      [windows.incident.fromMs, `incident begins (${how})`],
      [windows.incident.toMs, 'incident ends'],
    );
  }
  for (const { fromMs, toMs } of windows.others) {
    events.push([fromMs, 'another stretch stands out from here'], [toMs, 'that stretch ends']);
  }
  events.push([range.toMs, 'recording ends']);
  const rows = events
    .sort(([a], [b]) => a - b)
    .map(([ms, what]) => [formatClock(epochNs, ms), what]);
  const first = errors[0];
  const note = first === undefined ? '' : `\n\nMost frequent failure: ${plain(first.path)}.`;
  return `${markdownTable(['UTC', 'what'], rows)}${note}`;
}

function factors({ factors: found }: Report): string {
  if (found.length === 0) return 'Nothing stands out against the baseline.';
  const rows = found.map((factor) => [
    `${code(factor.service)}${factor.recorded ? '' : ' (not recorded)'}`,
    formatShare(factor.score),
    `${formatCount(factor.extraFailures)} (${formatShare(factor.failureShare)})`,
    `${formatDuration(factor.extraMs)} (${formatShare(factor.timeShare)})`,
    `${formatOptional(factor.ownBeforeMs)} → ${formatOptional(factor.ownDuringMs)}`,
  ]);
  return markdownTable(
    [
      'candidate',
      'explains',
      'extra failures that begin here',
      'extra time on the critical path',
      'own time per request',
    ],
    rows,
  );
}

function serviceMap({ serviceMap: { nodes, edges } }: Report): string {
  const idOf = new Map(nodes.map(({ service }, at) => [service, `s${at}`]));
  const worse = nodes
    .filter((node) => changeOf(node) === 'worse')
    .map(({ service }) => idOf.get(service)!);
  const lines = [
    'graph LR',
    ...nodes.map(({ service, recorded }) => {
      const label = `"${mermaidLabel(service)}"`;
      return `  ${idOf.get(service)}${recorded ? `[${label}]` : `(${label})`}`;
    }),
    ...edges
      .filter(({ from, to }) => idOf.has(from) && idOf.has(to))
      .map(
        (edge) =>
          `  ${idOf.get(edge.from)} -->|"${mermaidLabel(describeStats(edge.during))}"| ${idOf.get(edge.to)}`,
      ),
    ...(worse.length === 0
      ? []
      : ['  classDef worse stroke:#c22,stroke-width:3px', `  class ${worse.join(',')} worse`]),
  ];
  return ['```mermaid', ...lines, '```'].join('\n');
}

function errorTable({ errors }: Report): string {
  if (errors.length === 0) return 'No request failed.';
  const rows = errors.map((group) => [
    code(group.service),
    code(group.route),
    plain(group.path),
    `${group.before} → ${group.during}`,
    group.uncertain === 0 ? '' : String(group.uncertain),
    code(group.exampleTraceId),
  ]);
  return markdownTable(
    [
      'begins at',
      'exchange',
      'how it came out',
      'baseline → incident',
      'origin uncertain',
      'example',
    ],
    rows,
  );
}

function traceTable({ traces, epochNs }: Report): string {
  const worst = traces.filter(({ reason }) => reason !== 'typical').slice(0, MAX_TRACES);
  if (worst.length === 0) return 'None failed or was slow.';
  const rows = worst.map((trace) => [
    `${code(trace.route)} at ${code(trace.service)}`,
    trace.reason,
    String(trace.status || 'none'),
    formatDuration(trace.durationMs),
    formatClock(epochNs, trace.startMs),
    code(trace.traceId),
  ]);
  return markdownTable(['route', 'why', 'status', 'duration', 'start (UTC)', 'trace'], rows);
}

function evidence({ method, traces }: Report): string {
  const quoted = method.input.replaceAll("'", "''");
  const example = traces[0]?.traceId ?? '';
  return [
    'All spans of a trace, with how sure each parent is (DuckDB):',
    '',
    '```sql',
    'SELECT service, role, method, target, status, (end_ns - start_ns) / 1e6 AS ms,',
    '       parent_verdict, parent_confidence, parent_method',
    `FROM '${quoted}/spans.parquet' WHERE trace_id = '${example}' ORDER BY start_ns;`,
    '```',
  ].join('\n');
}

/** The report as Markdown that stands on its own, under the headings of a post-mortem. */
export function renderMarkdown(report: Report): string {
  const { epochNs, range, impact, method } = report;
  const routes = impact.routes.map((row) => [
    `${code(row.route)} at ${code(row.service)}`,
    ...comparedCells(row),
  ]);
  const services = report.services.map((row) => [code(row.service), ...comparedCells(row)]);
  const sections: readonly (readonly [string, string])[] = [
    ['Summary', summary(report)],
    ['Data quality', quality(report)],
    [
      'Impact',
      `${markdownTable(['', ...COMPARED], [['all', ...comparedCells(impact)], ...routes])}\n\nFailed in the incident: ${formatPart(impact.during.failed, impact.during.requests)}. Where two figures stand, the first is the baseline.`,
    ],
    ['Timeline', timeline(report)],
    ['Candidate factors', factors(report)],
    ['Errors by origin', errorTable(report)],
    ['Worst traces', traceTable(report)],
    ['Services', `${markdownTable(['service', ...COMPARED], services)}\n\n${serviceMap(report)}`],
    ['Detection', TO_FILL],
    ['Resolution', TO_FILL],
    ['Action items', TO_FILL],
    ['Lessons learned', TO_FILL],
    ['Evidence', evidence(report)],
    ['Method', method.statements.map((text) => `- ${plain(text)}`).join('\n')],
  ];
  const title = `# Incident report, ${formatRange(epochNs, range.fromMs, range.toMs)} UTC`;
  const origin = `Made by ${plain(method.tool)} from ${code(method.input)}: ${formatCount(method.spans)} spans in ${formatCount(method.traces)} traces.`;
  return `${[title, origin, ...sections.map(([name, text]) => `## ${name}\n\n${text}`)].join('\n\n')}\n`;
}
