import { useEffect, useRef } from 'preact/hooks';
import type { Candidate, TraceChunk } from '../contract.js';
import { formatBytes, formatClock, formatDuration, formatShare } from '../format.js';
import { CopyButton } from './copy-button.js';
import { queriesFor } from './queries.js';
import { index, openSpan } from './state.js';

function Facts({ chunk, row }: { readonly chunk: TraceChunk; readonly row: number }) {
  const { epochNs } = index;
  const firstByte = chunk.firstByteMs[row] ?? null;
  const facts: [string, string][] = [
    ['role', chunk.isServer[row] ? 'server: answered this request' : 'client: sent this request'],
    [
      'process',
      `${chunk.service[row]}, pid ${chunk.pid[row]}, thread ${chunk.tid[row]} on ${chunk.host[row]}`,
    ],
    ['request', `${chunk.verb[row]} ${chunk.target[row]}`],
    ['status', String(chunk.status[row] || 'no response recorded')],
    ['start', `${formatClock(epochNs, chunk.startMs[row]!)} UTC`],
    ['duration', formatDuration(chunk.endMs[row]! - chunk.startMs[row]!)],
    [
      'first byte',
      firstByte === null ? 'none' : `after ${formatDuration(firstByte - chunk.startMs[row]!)}`,
    ],
    [
      'bytes',
      `request ${formatBytes(chunk.requestBytes[row]!)}, response ${formatBytes(chunk.responseBytes[row]!)}`,
    ],
    ['connection', `${chunk.local[row]} to ${chunk.peer[row]}, socket ${chunk.connection[row]}`],
    ['span id', chunk.spanId[row]!],
  ];
  return (
    <dl>
      {facts.map(([name, value]) => (
        <div>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
      {chunk.missing[row] !== '' && (
        <div>
          <dt>missing</dt>
          <dd>{chunk.missing[row]}</dd>
        </div>
      )}
    </dl>
  );
}

function CandidateItem({ candidate }: { readonly candidate: Candidate }) {
  return (
    <li class={candidate.chosen ? 'chosen' : ''}>
      <p>
        <b>{formatShare(candidate.confidence)}</b> {candidate.chosen && <em>chosen</em>}{' '}
        <code>{candidate.what}</code>
        {candidate.startMs !== null && `, from ${formatClock(index.epochNs, candidate.startMs)}`}
      </p>
      <ul class="weights">
        {candidate.evidence.map((item) => (
          <li>
            <span class={item.weight < 0 ? 'against' : 'for'}>
              {item.weight > 0 ? '+' : '−'}
              {Math.abs(item.weight).toFixed(2)}
            </span>{' '}
            <b>{item.rule}</b> {item.text}
          </li>
        ))}
      </ul>
    </li>
  );
}

function verdictText(chunk: TraceChunk, row: number): string {
  const sure = formatShare(chunk.confidence[row] ?? 0);
  const rivals = Math.max(0, chunk.candidates[row]! - 1);
  const others = rivals === 1 ? '1 alternative' : `${rivals} alternatives`;
  switch (chunk.verdict[row]) {
    case 'certain':
      return chunk.method[row] === 'hop'
        ? 'Certain: both ends of the connection were recorded, and the request has the same TCP sequence number at both.'
        : `Certain, by ${chunk.method[row]}; ${others}.`;
    case 'probable':
      return `≈ by ${chunk.method[row]}, ${sure} sure; ${others}.`;
    case 'unknown':
      return `Unknown: the best of ${chunk.candidates[row]} possible parents reaches only ${sure}, too little to link it.`;
    default:
      return 'No parent: nothing recorded could have caused it.';
  }
}

/** Everything known of one span: what was recorded, why it hangs where it hangs, how to check. */
export function EvidenceDrawer({
  chunk,
  row,
}: {
  readonly chunk: TraceChunk;
  readonly row: number;
}) {
  const title = useRef<HTMLHeadingElement>(null);
  // Another span is another heading.
  useEffect(() => title.current?.focus(), [row]);
  const shut = () => {
    openSpan.value = null;
    document.querySelector<HTMLElement>(`.span[data-row="${row}"]`)?.focus();
  };
  const links = chunk.links[row]!;
  const more = chunk.candidates[row]! - links.length;
  const queries = queriesFor(index, chunk, row);
  return (
    <aside
      class="drawer"
      aria-label="Evidence"
      onKeyDown={(event) => {
        if (event.key === 'Escape') shut();
      }}
    >
      <button type="button" class="shut" onClick={shut} aria-label="Close the evidence">
        ✕
      </button>
      <h3 tabIndex={-1} ref={title}>
        {chunk.service[row]} {chunk.isServer[row] ? 'answers' : 'calls'} {chunk.verb[row]}
      </h3>
      <Facts chunk={chunk} row={row} />
      <h4>Parent</h4>
      <p>{verdictText(chunk, row)}</p>
      {links.length > 0 && (
        <>
          <p class="hint">Weights are log odds in nats: above 0 for, below 0 against.</p>
          <ol class="candidates">
            {links.map((candidate) => (
              <CandidateItem candidate={candidate} />
            ))}
          </ol>
          {more > 0 && <p class="hint">{more} less likely ones are in links.parquet.</p>}
        </>
      )}
      <h4>Check it yourself</h4>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling region must be reachable by keyboard */}
      <pre tabIndex={0}>{queries}</pre>
      <CopyButton text={queries} label="copy the DuckDB queries" />
    </aside>
  );
}
