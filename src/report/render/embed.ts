import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import type { Report, TraceChunk, ViewerIndex } from '../contract.js';
import { Markup } from './markup.js';

/** JSON that cannot end its script element, whatever the captured text holds. */
function embeddedJson(value: unknown): string {
  return JSON.stringify(value)
    .replaceAll('<', '\\u003c')
    .replaceAll('\u2028', '\\u2028')
    .replaceAll('\u2029', '\\u2029');
}

/** The part of the report that the viewer reads when the page opens. */
function viewerIndex(report: Report, chunks: number): ViewerIndex {
  const { version, epochNs, heatMap, traces, leftOut } = report;
  const served = report.services.map(({ service }) => service);
  const others = report.serviceMap.nodes
    .map(({ service }) => service)
    .filter((service) => !served.includes(service));
  return {
    version,
    epochNs,
    heatMap,
    traces,
    leftOut,
    input: report.method.input,
    segments: report.method.segments.map(({ file }) => file),
    services: [...served, ...others],
    chunks,
  };
}

/** The index as JSON, and each chunk as base64 of gzip, inflated by the browser when it is opened. */
export function dataBlocks(report: Report, chunks: readonly TraceChunk[]): Markup {
  const blocks = chunks.map((chunk, at) => {
    const bytes = gzipSync(JSON.stringify(chunk), { level: 9 });
    return `<script type="application/octet-stream" id="chunk-${at}">${bytes.toString('base64')}</script>`;
  });
  const index = embeddedJson(viewerIndex(report, chunks.length));
  return new Markup(
    [`<script type="application/json" id="viewer-index">${index}</script>`, ...blocks].join('\n'),
  );
}

function hashOf(text: string): string {
  return `'sha256-${createHash('sha256').update(text).digest('base64')}'`;
}

/** A policy under which the page can run its own script and style, and reach nothing else. */
export function contentSecurityPolicy(script: string, style: string): string {
  return [
    "default-src 'none'",
    `script-src ${hashOf(script)}`,
    `style-src ${hashOf(style)}`,
    "base-uri 'none'",
    "form-action 'none'",
  ].join('; ');
}
