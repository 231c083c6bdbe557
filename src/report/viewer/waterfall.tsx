import { useEffect, useRef, useState } from 'preact/hooks';
import type { TraceChunk, TraceEntry } from '../contract.js';
import { formatDuration, formatShare } from '../format.js';
import { colourOf, openSpan } from './state.js';
import { extentOf, orderRows, type TraceRow } from './trace-rows.js';

const ROW_HEIGHT = 26;
const MAX_HEIGHT = 560;
/** Rows kept beyond the visible ones, so that scrolling shows no holes. */
const OVERSCAN = 12;
const INDENT = 14;
/** Levels that are indented; deeper ones keep their level number only. */
const MAX_INDENT = 14;
const TICKS = [0, 0.25, 0.5, 0.75, 1];

interface RowProps {
  readonly chunk: TraceChunk;
  readonly place: TraceRow;
  readonly extent: readonly [number, number];
}

/** How sure the link to the row above it is, as a sign and in words. */
function linkMark(chunk: TraceChunk, row: number): { sign: string; kind: string; title: string } {
  const verdict = chunk.verdict[row]!;
  const confidence = chunk.confidence[row];
  if (verdict === 'certain') return { sign: '', kind: 'certain', title: 'parent is certain' };
  if (verdict === 'probable') {
    const sure = formatShare(confidence ?? 0);
    return { sign: `≈ ${sure}`, kind: 'probable', title: `parent inferred, ${sure} sure` };
  }
  return verdict === 'unknown'
    ? { sign: '?', kind: 'unknown', title: 'parent unknown: the evidence did not suffice' }
    : { sign: '', kind: 'root', title: 'no parent recorded' };
}

function SpanRow({ chunk, place, extent }: RowProps) {
  const { row, depth } = place;
  const [from, to] = extent;
  const percent = (ms: number) => `${((ms - from) / (to - from)) * 100}%`;
  const width = (a: number, b: number) => `${((b - a) / (to - from)) * 100}%`;
  const start = chunk.startMs[row]!;
  const end = chunk.endMs[row]!;
  // Beside the bar where there is room, else inside it.
  const labelPlace = (a: number, b: number) => {
    if (b - from < (to - from) * 0.75) return { left: `calc(${percent(b)} + 4px)` };
    if (a - from > (to - from) * 0.25) return { right: `calc(100% - ${percent(a)} + 4px)` };
    return { right: '6px' };
  };
  const link = linkMark(chunk, row);
  const status = chunk.status[row] || 'no response';
  const critical = chunk.critical[row]!;
  return (
    <button
      type="button"
      class={`span ${link.kind} ${chunk.failed[row] ? 'failed' : ''}`}
      aria-current={openSpan.value === row ? 'true' : undefined}
      data-row={row}
      onClick={() => {
        openSpan.value = row;
      }}
    >
      <span class="name">
        <span
          class="branch"
          style={{ width: `${Math.min(depth, MAX_INDENT) * INDENT}px` }}
          title={link.title}
        />
        <span
          class={`swatch ${colourOf(chunk.service[row]!)} ${chunk.isServer[row] ? '' : 'hollow'}`}
        />
        <b>{chunk.service[row]}</b>
        <span class="target">
          {chunk.isServer[row] ? '' : '→ '}
          {chunk.verb[row]} {chunk.target[row]}
        </span>
        {link.sign !== '' && <i>{link.sign}</i>}
      </span>
      <span class="lane">
        <span
          class={`bar ${colourOf(chunk.service[row]!)} ${chunk.isServer[row] ? '' : 'hollow'}`}
          style={{ left: percent(start), width: width(start, end) }}
        />
        {critical.map(
          (at, i) =>
            i % 2 === 0 && (
              <span
                class="critical"
                style={{ left: percent(at), width: width(at, critical[i + 1]!) }}
              />
            ),
        )}
        <span class="label" style={labelPlace(start, end)}>
          {formatDuration(end - start)} {chunk.failed[row] && <b class="bad">{status}</b>}
        </span>
      </span>
    </button>
  );
}

/** Moves focus and selection along the rows. */
function onKeyDown(event: KeyboardEvent): void {
  const step = { ArrowDown: 1, j: 1, ArrowUp: -1, k: -1 }[event.key];
  if (step === undefined) return;
  const rows = [...(event.currentTarget as HTMLElement).querySelectorAll<HTMLElement>('.span')];
  const next = rows[rows.indexOf(document.activeElement as HTMLElement) + step];
  if (next === undefined) return;
  event.preventDefault();
  next.focus();
}

/** The spans of a trace over time; its critical path drawn inside the bars. Only visible rows exist. */
export function Waterfall({
  chunk,
  trace,
}: {
  readonly chunk: TraceChunk;
  readonly trace: TraceEntry;
}) {
  const [top, setTop] = useState(0);
  const scroller = useRef<HTMLDivElement>(null);
  const rows = orderRows(chunk, trace);
  const extent = extentOf(chunk, rows);
  // Another trace begins at its top.
  useEffect(() => {
    if (scroller.current !== null) scroller.current.scrollTop = 0;
    setTop(0);
  }, [trace.traceId]);
  const first = Math.max(0, Math.floor(top / ROW_HEIGHT) - OVERSCAN);
  const visible = rows.slice(first, first + Math.ceil(MAX_HEIGHT / ROW_HEIGHT) + 2 * OVERSCAN);
  return (
    <div class="waterfall">
      <div class="ticks" aria-hidden="true">
        <span class="name" />
        <span class="lane">
          {TICKS.map((tick) => (
            <span style={tick === 1 ? { right: '0' } : { left: `${tick * 100}%` }}>
              {formatDuration((extent[1] - extent[0]) * tick)}
            </span>
          ))}
        </span>
      </div>
      {/* biome-ignore lint/a11y/noStaticElementInteractions: arrow keys move between the buttons inside */}
      <div
        class="rows"
        ref={scroller}
        style={{ maxHeight: `${MAX_HEIGHT}px` }}
        onScroll={(event) => setTop(event.currentTarget.scrollTop)}
        onKeyDown={onKeyDown}
      >
        <div style={{ height: `${rows.length * ROW_HEIGHT}px`, position: 'relative' }}>
          <div style={{ transform: `translateY(${first * ROW_HEIGHT}px)` }}>
            {visible.map((place) => (
              <SpanRow key={place.row} chunk={chunk} place={place} extent={extent} />
            ))}
          </div>
        </div>
      </div>
    </div>
  );
}
