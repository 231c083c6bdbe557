import type { TraceEntry } from '../contract.js';
import { formatClock, formatCount, formatDuration, formatShare } from '../format.js';
import {
  colourOf,
  index,
  openSpan,
  openTrace,
  order,
  reason,
  region,
  shownTraces,
  text,
} from './state.js';

const REASONS = ['all', 'failed', 'slow', 'typical'] as const;
const ORDERS = ['worst', 'duration', 'start', 'confidence'] as const;

function select(trace: TraceEntry): void {
  openTrace.value = trace;
  openSpan.value = null;
}

function Filters() {
  const count = (wanted: string) =>
    wanted === 'all' ? index.traces.length : index.traces.filter((t) => t.reason === wanted).length;
  return (
    <div class="filters">
      <input
        type="search"
        aria-label="Filter traces by text"
        placeholder="service, target, status, trace id"
        value={text.value}
        onInput={(event) => {
          text.value = event.currentTarget.value;
        }}
      />
      {REASONS.map((wanted) => (
        <button
          type="button"
          class="pill"
          aria-pressed={reason.value === wanted}
          onClick={() => {
            reason.value = wanted;
          }}
        >
          {wanted} {formatCount(count(wanted))}
        </button>
      ))}
      <label>
        order{' '}
        <select
          value={order.value}
          onChange={(event) => {
            order.value = event.currentTarget.value as typeof order.value;
          }}
        >
          {ORDERS.map((name) => (
            <option value={name}>{name}</option>
          ))}
        </select>
      </label>
      {region.value !== null && (
        <button
          type="button"
          class="pill"
          onClick={() => {
            region.value = null;
          }}
        >
          heat map selection ✕
        </button>
      )}
    </div>
  );
}

function TraceItem({ trace }: { readonly trace: TraceEntry }) {
  const isOpen = openTrace.value?.traceId === trace.traceId;
  return (
    <li>
      <button
        type="button"
        class={`trace ${trace.reason}`}
        aria-current={isOpen ? 'true' : undefined}
        onClick={() => select(trace)}
      >
        <span class={`swatch ${colourOf(trace.service)}`} />
        <span class="target">{trace.route}</span>
        <span class="facts">
          <b class={trace.reason === 'failed' ? 'bad' : ''}>{trace.status || 'no response'}</b>{' '}
          {formatDuration(trace.durationMs)} · {trace.spans} spans ·{' '}
          {formatClock(index.epochNs, trace.startMs)}
          {trace.minConfidence < 1 && ` · weakest link ${formatShare(trace.minConfidence)}`}
          {trace.unknownLinks > 0 && ` · ${trace.unknownLinks} unlinked`}
        </span>
      </button>
    </li>
  );
}

/** The filters and the traces that pass them. */
export function TraceList() {
  const shown = shownTraces.value;
  return (
    <div class="list">
      <Filters />
      <p class="count" aria-live="polite">
        {formatCount(shown.length)} of {formatCount(index.traces.length)} traces on this page
      </p>
      <ul class="traces">
        {shown.map((trace) => (
          <TraceItem key={trace.traceId} trace={trace} />
        ))}
      </ul>
    </div>
  );
}
