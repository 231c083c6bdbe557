import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { EXCHANGE_COLUMNS, LossFlag } from '../../../src/model/exchange.js';
import { traceIdOfRoot } from '../../../src/model/ids.js';
import { assemble } from '../../../src/reconstruct/assemble/assemble.js';
import { CAUSE_COLUMNS } from '../../../src/reconstruct/causality/cause-table.js';
import { writeTable } from '../../../src/store/table-file.js';
import { useTemporaryDirectories } from '../../store/temporary.js';
import {
  type Cause,
  causesOf,
  client,
  type Exchange,
  exchangesOf,
  processOf,
  server,
} from './exchanges.js';

const temporaryDirectory = useTemporaryDirectories();
const HOSTS = ['a', 'b'].map((host) => ({ host, bootId: 'boot' }));
const PROCESSES = [processOf('load', 5), processOf('gateway', 10), processOf('cart', 20, 1)];
const BASE_NS = 1_790_000_000_000_000_000n;

interface GroupInput {
  /** One list per partition. */
  readonly partitions: readonly (readonly Exchange[])[];
  readonly causes?: readonly Cause[];
}

async function assembled(...groups: readonly GroupInput[]) {
  const directory = temporaryDirectory();
  const files = await Promise.all(
    groups.map(async ({ partitions, causes }, g) => {
      const exchanges = partitions.map((_, p) => join(directory, `${g}-${p}.arrow`));
      for (const [p, rows] of partitions.entries()) {
        await writeTable(exchanges[p]!, EXCHANGE_COLUMNS, exchangesOf(rows));
      }
      const file = join(directory, `causes-${g}.arrow`);
      await writeTable(file, CAUSE_COLUMNS, causesOf(causes ?? []));
      return { exchanges, causes: file };
    }),
  );
  return assemble({ groups: files, hosts: HOSTS, processes: PROCESSES, baseNs: BASE_NS });
}

/** load -> gateway -> cart, in three groups; the gateway's call is in its second partition. */
const load: GroupInput = { partitions: [[client(1, { process: 0, start: 0, end: 100 })]] };
const cart: GroupInput = {
  partitions: [[server(2, { process: 2, host: 1, start: 31, end: 69, status: 503 })]],
};
function gateway(cause: Omit<Cause, 'client'>): GroupInput {
  return {
    partitions: [
      [server(1, { process: 1, start: 10, end: 90 })],
      [client(2, { process: 1, start: 30, end: 70 })],
    ],
    causes: [{ client: 1, ...cause }],
  };
}
const LINKED = { parent: 0, verdict: 'certain', confidence: 0.9995, method: 'owner' } as const;

describe('a request through three services', () => {
  it('is one trace, from the outermost call down', async () => {
    const { spans, hops, unmatched } = await assembled(load, gateway(LINKED), cart);
    expect([spans.rows, hops, unmatched]).toEqual([4, 2, 0]);
    expect(spans.service).toEqual(['load', 'gateway', 'gateway', 'cart']);
    expect(spans.role).toEqual(['client', 'server', 'client', 'server']);
    expect(spans.host).toEqual(['a', 'a', 'a', 'b']);
    expect([...spans.pid]).toEqual([5, 10, 10, 20]);
    expect(spans.parent_span_id).toEqual(['', ...spans.span_id.slice(0, 3)]);
    expect(new Set(spans.trace_id)).toEqual(new Set([traceIdOfRoot(spans.span_id[0]!)]));
    expect(spans.parent_verdict).toEqual(['root', 'certain', 'certain', 'certain']);
    expect(spans.parent_method).toEqual(['', 'hop', 'owner', 'hop']);
    expect([...spans.start_ns]).toEqual([0n, 10n, 30n, 31n].map((ns) => BASE_NS + ns));
    expect([...spans.end_ns]).toEqual([100n, 90n, 70n, 69n].map((ns) => BASE_NS + ns));
  });

  it('has a critical path that adds up to the duration of its root', async () => {
    const { spans } = await assembled(load, gateway(LINKED), cart);
    expect([...spans.critical_ns]).toEqual([20n, 40n, 2n, 38n]);
  });

  it('is one row of traces, with the service that users meet first', async () => {
    const { traces, spans } = await assembled(load, gateway(LINKED), cart);
    expect(traces.rows).toBe(1);
    expect(traces.trace_id[0]).toBe(spans.trace_id[0]);
    expect(traces.root_span_id[0]).toBe(spans.span_id[0]);
    expect([traces.service[0], traces.target[0], traces.status[0]]).toEqual(['gateway', '/1', 200]);
    expect([traces.spans[0], traces.services[0], traces.errors[0]]).toEqual([4, 3, 1]);
    expect([traces.unknown_links[0], traces.min_confidence[0]]).toEqual([0, 0.9995]);
    expect(traces.end_ns[0]! - traces.start_ns[0]!).toBe(100n);
  });

  it('is the same whatever the order of groups', async () => {
    const tables = await assembled(load, gateway(LINKED), cart);
    expect(await assembled(cart, load, gateway(LINKED))).toEqual(tables);
  });
});

describe('a call without a sure parent', () => {
  const unsure = { parent: 0, verdict: 'unknown', confidence: 0.6, method: 'thread' } as const;

  it('begins a trace of its own, and the candidates stay in links', async () => {
    const { spans, traces, links } = await assembled(load, gateway(unsure), cart);
    expect(traces.rows).toBe(2);
    expect(spans.service).toEqual(['load', 'gateway', 'gateway', 'cart']);
    expect(spans.parent_span_id[2]).toBe('');
    expect([spans.parent_verdict[2], spans.parent_confidence[2]]).toEqual(['unknown', 0.6]);
    expect(spans.trace_id[3]).toBe(spans.trace_id[2]);
    expect(links.rows).toBe(1);
    expect([links.span_id[0], links.candidate_span_id[0]]).toEqual([
      spans.span_id[2],
      spans.span_id[1],
    ]);
    expect([links.chosen[0], links.confidence[0], links.method[0]]).toEqual([0, 0.6, 'thread']);
    const text =
      'reading this request was the last thing the thread received, 2.00 µs before the call';
    expect(JSON.parse(links.evidence[0]!)).toEqual([{ rule: 'thread', weight: 3, text }]);
  });

  it('counts on its own trace and on the one that may have lost it', async () => {
    const { traces } = await assembled(load, gateway(unsure), cart);
    expect([...traces.unknown_links]).toEqual([1, 1]);
    expect([...traces.min_confidence]).toEqual([1, 1]);
  });

  it('counts on its own trace alone where it had no candidate', async () => {
    const { traces, links } = await assembled(load, gateway({ verdict: 'unknown' }), cart);
    expect([...traces.unknown_links]).toEqual([0, 1]);
    expect(links.rows).toBe(0);
  });
});

describe('what was recorded in part', () => {
  it('is kept: ends without another end say so, failed calls count as errors', async () => {
    const rows = [
      client(1, { process: 1, status: 0, flags: LossFlag.responseUnseen }),
      server(2, { process: 1, start: 1, flags: LossFlag.reset }),
      server(3, { process: 1, start: 2, server: '::1' }),
    ];
    const { spans, traces, hops } = await assembled({ partitions: [rows] });
    expect([spans.rows, traces.rows, hops]).toEqual([3, 3, 0]);
    expect([...spans.loss_flags]).toEqual([
      LossFlag.responseUnseen | LossFlag.peerUnseen,
      LossFlag.reset | LossFlag.peerUnseen,
      LossFlag.peerUnseen,
    ]);
    expect([...traces.errors]).toEqual([1, 1, 0]);
    expect(spans.local[2]).toBe('[::1]:80');
    expect(spans.peer[2]).toBe('10.0.0.1:40003');
  });

  it('has only the times that were recorded', async () => {
    const rows = [
      server(1, { process: 1, start: Number.NaN, responseStart: 40, end: 50 }),
      server(2, { process: 1, start: 20, responseStart: Number.NaN, end: Number.NaN }),
    ];
    const { spans } = await assembled({ partitions: [rows] });
    const offsets = (column: BigInt64Array) => [...column].map((ns) => (ns ? ns - BASE_NS : ns));
    expect(offsets(spans.start_ns)).toEqual([20n, 40n]);
    expect(offsets(spans.first_byte_ns)).toEqual([0n, 40n]);
    expect(offsets(spans.end_ns)).toEqual([20n, 50n]);
  });

  it('may be nothing at all', async () => {
    const { spans, traces, links, skews } = await assembled({ partitions: [] });
    expect([spans.rows, traces.rows, links.rows, skews]).toEqual([0, 0, 0, []]);
  });
});

it('calls that seem to cause each other do not hang it', async () => {
  // The client of hop 1 is said to be caused by the server that it reaches itself.
  const rows = [client(1, { process: 1 }), server(1, { process: 1, start: 1 })];
  const causes = [{ client: 0, parent: 1, verdict: 'certain', confidence: 1 }] as const;
  const { spans, links } = await assembled({ partitions: [rows], causes });
  expect(new Set(spans.trace_id).size).toBe(1);
  const cut = spans.parent_span_id.indexOf('');
  expect(spans.parent_span_id.filter((id) => id === '')).toHaveLength(1);
  // A span without parent must not claim to be sure of one.
  expect(spans.parent_verdict[cut]).toBe('unknown');
  // What was cut is not said to be chosen.
  const isParent = spans.parent_span_id[spans.span_id.indexOf(links.span_id[0]!)] !== '';
  expect(links.chosen[0]).toBe(isParent ? 1 : 0);
});
