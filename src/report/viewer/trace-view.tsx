import { useEffect, useState } from 'preact/hooks';
import type { TraceChunk, TraceEntry } from '../contract.js';
import { formatClock, formatDuration } from '../format.js';
import { CopyButton } from './copy-button.js';
import { openChunk } from './data.js';
import { EvidenceDrawer } from './evidence.js';
import { traceAsMarkdown } from './queries.js';
import { index, openSpan, openTrace } from './state.js';
import { orderRows } from './trace-rows.js';
import { Waterfall } from './waterfall.js';

function Opened({ chunk, trace }: { readonly chunk: TraceChunk; readonly trace: TraceEntry }) {
  const markdown = traceAsMarkdown(index, chunk, trace, orderRows(chunk, trace));
  return (
    <>
      <header>
        <h3>
          {trace.route} <span class="at">at {trace.service}</span>
        </h3>
        <p>
          <b class={trace.reason === 'failed' ? 'bad' : ''}>{trace.status || 'no response'}</b> ·{' '}
          {formatDuration(trace.durationMs)} · {formatClock(index.epochNs, trace.startMs)} UTC ·
          trace <code>{trace.traceId}</code>
        </p>
        <CopyButton text={markdown} label="copy as Markdown" />
      </header>
      {trace.unknownLinks > 0 && (
        <p class="caveat">
          {trace.unknownLinks} calls may belong to this trace but could not be linked: it may be
          incomplete.
        </p>
      )}
      <Waterfall chunk={chunk} trace={trace} />
      <p class="hint legend">
        Filled bars answer a request, hollow ones call. The line inside is the critical path.
        Dashed: inferred parent, with its confidence. Select a row for the evidence.
      </p>
      {openSpan.value !== null && <EvidenceDrawer chunk={chunk} row={openSpan.value} />}
    </>
  );
}

/** The open trace; its spans are inflated when it is opened. */
export function TraceView() {
  const trace = openTrace.value;
  const [loaded, setLoaded] = useState<{ chunk: number; data: TraceChunk } | null>(null);
  const wanted = trace?.chunk;
  useEffect(() => {
    let isCurrent = true;
    if (wanted !== undefined) {
      openChunk(wanted).then((data) => {
        if (isCurrent) setLoaded({ chunk: wanted, data });
      });
    }
    return () => {
      isCurrent = false;
    };
  }, [wanted]);
  if (trace === null) return <p class="empty">Select a trace.</p>;
  if (loaded === null || loaded.chunk !== wanted) return <p class="empty">Opening …</p>;
  return (
    <div class="opened">
      <Opened chunk={loaded.data} trace={trace} />
    </div>
  );
}
