import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { importSpans } from '../../src/import/import.js';
import { readCatalog } from '../../src/store/catalog.js';
import { readImportedExchanges, readSources, sourcesPath } from '../../src/store/import-files.js';
import { useTemporaryDirectories } from '../store/temporary.js';
import { type JaegerFacts, jaegerTrace, lines, SHOP } from './spans.js';

const temporaryDirectory = useTemporaryDirectories();

interface Trace {
  readonly id: string;
  readonly spans: readonly JaegerFacts[];
}

async function forget(traces: readonly Trace[], forgetParents = true): Promise<string> {
  const directory = temporaryDirectory();
  const file = join(directory, 'spans');
  writeFileSync(file, lines(traces.map(({ id, spans }) => jaegerTrace(id, spans))));
  const output = join(directory, 'out');
  await importSpans({ format: 'jaeger', files: [file], output, forgetParents });
  return output;
}

/** The same traces under other ids, in another order of traces and of their spans. */
function disguise(traces: readonly Trace[], seed: number): Trace[] {
  let state = seed;
  const random = () => {
    state = (Math.imul(state, 48_271) >>> 0) % 0x7fff_ffff;
    return state / 0x7fff_ffff;
  };
  const shuffled = <T>(list: readonly T[]) =>
    list
      .map((value) => ({ value, key: random() }))
      .sort((a, b) => a.key - b.key)
      .map(({ value }) => value);
  let count = 0;
  const fresh = () =>
    `${Math.floor(random() * 1e9).toString(16)}${(++count + 0x1000).toString(16)}`;
  return shuffled(traces).map(({ spans }) => {
    const names = new Map(shuffled(spans).map(({ id }) => [id, fresh()]));
    return {
      id: fresh(),
      spans: shuffled(spans).map(({ parent, ...span }) => ({
        ...span,
        id: names.get(span.id)!,
        ...(parent === undefined ? {} : { parent: names.get(parent) ?? fresh() }),
      })),
    };
  });
}

const hashOfFile = (directory: string, name: string) =>
  createHash('sha256')
    .update(readFileSync(join(directory, name)))
    .digest('hex');

/** Names of operations must not follow the ids, as those of a tracer do not. */
const NAMED = SHOP.map((span) => ({ ...span, name: span.name ?? `op of ${span.service}` }));
const DELAYS = [0, 0, 0, 40, 40, 1000];
/** Many requests that begin, and calls that are made, in the very same microsecond. */
const TWINS = NAMED.flatMap((span) =>
  span.id === 'c' || span.id === 'd'
    ? [span, { ...span, id: `${span.id}2`, parent: span.id === 'd' ? 'c2' : 'b' }]
    : [span],
);
const TIES: Trace[] = Array.from({ length: 30 }, (_, i) => ({
  id: `trace-${i}`,
  spans: (i % 2 === 0 ? NAMED : TWINS).map((span) => ({
    ...span,
    start: (span.start ?? 0) + DELAYS[i % 6]!,
  })),
}));

/** Any tree of spans over few services, kinds and moments, so that all but ids is often equal. */
const anyTrace = fc
  .array(
    fc.record({
      parent: fc.nat(8),
      service: fc.constantFrom('x', 'y', 'z'),
      kind: fc.constantFrom('server', 'client', 'internal', undefined),
      start: fc.nat(3),
      duration: fc.constantFrom(1, 5),
      name: fc.constantFrom('one', 'two'),
    }),
    { minLength: 1, maxLength: 12 },
  )
  .map((spans): JaegerFacts[] =>
    spans.map(({ parent, kind, ...span }, i) => ({
      ...span,
      id: `s${i}`,
      ...(i === 0 ? {} : { parent: `s${parent % i}` }),
      ...(kind === undefined ? {} : { kind }),
    })),
  );

test('ids, and the order of lines and spans, leave no mark on the exchanges', async () => {
  const first = await forget(TIES);
  for (let seed = 1; seed <= 5; seed++) {
    const other = await forget(disguise(TIES, seed));
    expect(readdirSync(other)).toEqual(readdirSync(first));
    const isSame = (name: string) => hashOfFile(other, name) === hashOfFile(first, name);
    expect(isSame('exchanges-000001.parquet')).toBe(true);
    expect(isSame('sources-000001.parquet')).toBe(false);
  }
});

test('whatever the traces look like', async () => {
  const property = fc.asyncProperty(
    fc.array(anyTrace, { minLength: 1, maxLength: 6 }),
    fc.integer({ min: 1, max: 0x7fff_fffe }),
    async (all, seed) => {
      const traces = all.map((spans, i) => ({ id: `t${i}`, spans }));
      const [first, other] = [await forget(traces), await forget(disguise(traces, seed))];
      const name = 'exchanges-000001.parquet';
      expect(hashOfFile(other, name)).toBe(hashOfFile(first, name));
    },
  );
  await fc.assert(property, { numRuns: 100 });
}, 120_000);

test('no identity is left, not in a target either', async () => {
  const id = '0af7651916cd43dd8448eb211c80319c';
  const tags = { 'http.method': 'GET', 'http.url': `http://h/items/${id}/x?trace=${id}` };
  const output = await forget([{ id, spans: NAMED.map((span) => ({ ...span, tags })) }]);
  const [file] = (await readCatalog([output])).imports;
  const exchanges = await readImportedExchanges(file!.path);
  expect(new Set([...exchanges.trace_context, ...exchanges.request_id])).toEqual(new Set(['']));
  expect(exchanges.target.join(' ')).not.toContain(id);
  expect(exchanges.target[0]).toBe('/shop');
  expect(exchanges.target[1]).toBe('/items/{id}/x/(op of front)');
  expect(readFileSync(file!.path).includes(id)).toBe(false);
});

test('the ids lie beside the exchanges, also those of calls that were made', async () => {
  const alone = [
    { id: 'root', service: 'x', kind: 'server' },
    { id: 'callee', parent: 'root', service: 'y', kind: 'server', start: 5 },
  ];
  const output = await forget([{ id: 't', spans: alone }]);
  const [file] = (await readCatalog([output])).imports;
  const sources = await readSources(sourcesPath(file!.path));
  expect(sources.source_trace_id).toEqual(['t', 't', 't']);
  expect([...sources.source_span_id].sort()).toEqual(['callee', 'callee', 'root']);
});

test('with parents kept, the numbers of requests are the only difference', async () => {
  const read = async (output: string) =>
    readImportedExchanges((await readCatalog([output])).imports[0]!.path);
  const [forgotten, kept] = [await read(await forget(TIES)), await read(await forget(TIES, false))];
  expect(new Set(kept.trace_context).size).toBe(75);
  for (const column of ['request_start', 'role', 'process', 'method', 'target'] as const) {
    expect(kept[column]).toEqual(forgotten[column]);
  }
});
