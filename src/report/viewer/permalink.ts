import { effect } from '@preact/signals';
import { openChunk } from './data.js';
import { index, openSpan, openTrace } from './state.js';

/** Opens the trace and span that the address names: #trace=…&span=…. */
async function follow(): Promise<void> {
  const wanted = new URLSearchParams(location.hash.slice(1));
  const trace = index.traces.find(({ traceId }) => traceId === wanted.get('trace'));
  if (trace === undefined) return;
  if (trace === openTrace.value && !wanted.has('span')) return;
  openTrace.value = trace;
  const spanId = wanted.get('span');
  if (spanId === null) openSpan.value = null;
  else {
    const row = (await openChunk(trace.chunk)).spanId.indexOf(spanId);
    openSpan.value = row === -1 ? null : row;
  }
  document.getElementById('traces')?.scrollIntoView();
}

/** Keeps the address and what is open together, once the reader has opened something. */
export function startPermalinks(): void {
  const first = index.traces[0];
  if (first !== undefined) openTrace.value = first;
  const initial = openTrace.value;
  follow();
  addEventListener('hashchange', follow);
  effect(() => {
    const trace = openTrace.value;
    const row = openSpan.value;
    if (trace === null || (trace === initial && row === null)) return;
    openChunk(trace.chunk).then((chunk) => {
      const span = row === null ? '' : `&span=${chunk.spanId[row]}`;
      history.replaceState(null, '', `#trace=${trace.traceId}${span}`);
    });
  });
}
