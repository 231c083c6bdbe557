import { describe, expect, test } from 'vitest';
import { JAEGER } from '../../src/import/jaeger.js';
import { OTLP } from '../../src/import/otlp.js';
import { ZIPKIN } from '../../src/import/zipkin.js';
import { jaegerTrace } from './spans.js';

describe('Jaeger', () => {
  const span = { spanID: 's', startTime: 1, duration: 2, operationName: 'op', processID: 'p' };
  const parse = (value: unknown) => JAEGER.parse(value);
  const one = (more: object) =>
    parse({ traceID: 't', spans: [{ ...span, ...more }], processes: { p: { serviceName: 'x' } } });

  test('a trace and a saved list of traces', () => {
    const trace = jaegerTrace('t', [{ id: 's', service: 'x', kind: 'server', start: 5 }]);
    const expected = {
      traceId: 't',
      spanId: 's',
      parentId: '',
      service: 'x',
      kind: 'server',
      startNs: 1_790_000_000_000_005_000n,
      endNs: 1_790_000_000_001_005_000n,
      request: { method: 'CALL', target: 'op-s', peer: '', status: 200 },
    };
    expect(parse(trace)).toEqual({ traces: [[expected]], problems: [] });
    expect(parse({ data: [trace, trace] })!.traces).toEqual([[expected], [expected]]);
    expect(parse({ data: [] })).toEqual({ traces: [], problems: [] });
  });

  test('the parent is a CHILD_OF of the same trace, else a FOLLOWS_FROM of it', () => {
    const reference = (refType: string, traceID: string, spanID: string) => ({
      refType,
      traceID,
      spanID,
    });
    const parentOf = (...references: object[]) => one({ references })!.traces[0]![0]!.parentId;
    const follows = reference('FOLLOWS_FROM', 't', 'f');
    expect(parentOf(follows, reference('CHILD_OF', 't', 'c'))).toBe('c');
    expect(parentOf(reference('CHILD_OF', 'other', 'c'), follows)).toBe('f');
    expect(parentOf(reference('FOLLOWS_FROM', 'other', 'c'))).toBe('');
    expect(parentOf(reference('CHILD_OF', 'renamed', 'c'))).toBe('c');
    expect(one({ parentSpanID: 'old' })!.traces[0]![0]!.parentId).toBe('old');
  });

  test('messages count as calls; other kinds as none', () => {
    const kindOf = (value: unknown) =>
      one({ tags: [{ key: 'span.kind', value }] })!.traces[0]![0]!.kind;
    expect(['server', 'client', 'producer', 'consumer', 'internal', 'x', 7].map(kindOf)).toEqual([
      'server',
      'client',
      'client',
      'server',
      'internal',
      '',
      '',
    ]);
  });

  test('spans that cannot be used are told, the others kept', () => {
    const trace = { traceID: 't', spans: [span, 7, { spanID: '' }, { spanID: 'y' }] };
    const parsed = parse(trace)!;
    expect(parsed.traces[0]).toHaveLength(1);
    expect(parsed.traces[0]![0]!.service).toBe('unknown');
    expect(parsed.problems).toEqual([
      'a span is no object',
      'a span has no spanID',
      'span y has no startTime in microseconds',
    ]);
    expect(parse({ data: [trace, { spans: 'none' }] })!.problems).toContain(
      'a trace has no list of spans',
    );
  });

  test('a span that was never ended has no end, and times keep every nanosecond', () => {
    const [first] = one({ startTime: 1_655_753_657_874.25, duration: null })!.traces[0]!;
    expect(first).toMatchObject({ startNs: 1_655_753_657_874_250n, endNs: undefined });
  });
});

describe('OTLP', () => {
  const span = {
    traceId: '5B8EFFF798038103D269B633813FC60C',
    spanId: 'EEE19B7EC3C1B174',
    name: 'GET',
    kind: 2,
    startTimeUnixNano: '1790000000000000001',
    endTimeUnixNano: '1790000000000000003',
  };
  const one = (more: object, scopes = 'scopeSpans') =>
    OTLP.parse({
      resourceSpans: [
        {
          resource: { attributes: [{ key: 'service.name', value: { stringValue: 'cart' } }] },
          [scopes]: [{ spans: [{ ...span, ...more }] }],
        },
      ],
    })!;
  const first = (more: object) => one(more).traces[0]![0]!;

  test('a span with its resource; ids stay as they are written', () => {
    expect(first({ parentSpanId: '' })).toMatchObject({
      traceId: span.traceId,
      spanId: span.spanId,
      parentId: '',
      service: 'cart',
      kind: 'server',
      startNs: 1_790_000_000_000_000_001n,
      endNs: 1_790_000_000_000_000_003n,
    });
    expect(one({}, 'instrumentationLibrarySpans').traces[0]).toHaveLength(1);
  });

  test('kinds by number and by name', () => {
    const kinds = [0, 1, 2, 3, 4, 5, 'SPAN_KIND_CLIENT', undefined].map(
      (kind) => first({ kind }).kind,
    );
    expect(kinds).toEqual(['', 'internal', 'server', 'client', 'client', 'server', 'client', '']);
  });

  test('attributes of every type, and errors', () => {
    const attributes = [
      { key: 'http.request.method', value: { stringValue: 'GET' } },
      { key: 'url.path', value: { stringValue: '/x' } },
      { key: 'http.response.status_code', value: { intValue: '404' } },
      { key: 'odd', value: { arrayValue: {} } },
      'rubbish',
    ];
    expect(first({ attributes }).request).toMatchObject({ target: '/x', status: 404 });
    expect(first({ status: { code: 2 } }).request.status).toBe(500);
    expect(first({ status: { code: 'STATUS_CODE_ERROR' } }).request.status).toBe(500);
  });

  test('a zero parent is none, a zero end is none, an end before the start is the start', () => {
    expect(first({ parentSpanId: '0000000000000000' }).parentId).toBe('');
    expect(first({ endTimeUnixNano: 0 }).endNs).toBeUndefined();
    expect(first({ endTimeUnixNano: '5' }).endNs).toBe(1_790_000_000_000_000_001n);
  });

  test('what is no traces data is refused; spans without id or time are told', () => {
    for (const value of [7, [], {}, { resourceMetrics: [] }, { spans: [] }]) {
      expect(OTLP.parse(value)).toBeUndefined();
    }
    expect(one({ spanId: '0000' }).problems).toEqual(['a span has no traceId or no spanId']);
    expect(one({ startTimeUnixNano: 'soon' }).problems).toHaveLength(1);
    expect(OTLP.parse({ resourceSpans: [7, { scopeSpans: 7 }] })).toEqual({
      traces: [[]],
      problems: [],
    });
  });
});

describe('Zipkin', () => {
  const span = {
    traceId: 't',
    id: 's',
    parentId: 'p',
    kind: 'CLIENT',
    name: 'get /x',
    timestamp: 1_790_000_000_000_000,
    duration: 7,
    localEndpoint: { serviceName: 'front' },
    remoteEndpoint: { serviceName: 'cart' },
    tags: { 'http.method': 'GET', 'http.path': '/x' },
  };

  test('a span, an array of spans, an array of traces', () => {
    const expected = {
      traceId: 't',
      spanId: 's',
      parentId: 'p',
      service: 'front',
      kind: 'client',
      startNs: 1_790_000_000_000_000_000n,
      endNs: 1_790_000_000_000_007_000n,
      request: { method: 'GET', peer: 'cart', status: 200 },
    };
    expect(ZIPKIN.parse(span)!.traces[0]).toMatchObject([expected]);
    expect(ZIPKIN.parse([span, span])!.traces[0]).toMatchObject([expected, expected]);
    expect(ZIPKIN.parse([[span], [span]])!.traces[0]).toMatchObject([expected, expected]);
    expect(ZIPKIN.parse([])).toEqual({ traces: [[]], problems: [] });
  });

  test('a tag error is an error, whatever it says', () => {
    const failed = ZIPKIN.parse({ ...span, tags: { error: '' } })!.traces[0]![0]!;
    expect(failed.request.status).toBe(500);
  });

  test('version 1 and other things are refused; spans without a time are told', () => {
    expect(ZIPKIN.parse({ ...span, binaryAnnotations: [] })).toBeUndefined();
    expect(ZIPKIN.parse({ data: [] })).toBeUndefined();
    expect(ZIPKIN.parse('text')).toBeUndefined();
    expect(ZIPKIN.parse([span, 7])!.problems).toEqual(['a span is not of version 2']);
    expect(ZIPKIN.parse({ ...span, timestamp: null })!.problems).toHaveLength(1);
  });
});
