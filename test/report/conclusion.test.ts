import { describe, expect, test } from 'vitest';
import { LossFlag } from '../../src/model/exchange.js';
import { analyze } from '../../src/report/analyze/analyze.js';
import {
  checkout,
  EPOCH_NS,
  OPTIONS,
  SpanBuilder,
  shopDay,
  stored,
  type Weather,
} from './shop-spans.js';

const LENGTH = 30_000;
const isFault = (ms: number) => ms >= 12_000 && ms < 18_000;

function conclusionOf(weatherAt: (ms: number, i: number) => Weather) {
  return analyze(stored(shopDay(weatherAt), LENGTH), OPTIONS).report;
}

describe('the conclusion', () => {
  test('names the service that became slow, not those that wait for it', () => {
    const report = conclusionOf((ms) => (isFault(ms) ? { paymentMs: 300 } : {}));
    expect(report.conclusion.culprit).toBe('payment');
    expect(report.factors.map(({ service }) => service)).toEqual(['payment']);
    expect(report.factors[0]!.ownDuringMs).toBeCloseTo(300, 0);
    expect(report.factors[0]!.ownBeforeMs).toBeCloseTo(5, 0);
  });

  test('names the service whose errors the callers pass on', () => {
    const report = conclusionOf((ms, i) =>
      isFault(ms) && i % 3 === 0 ? { paymentStatus: 503 } : {},
    );
    expect(report.conclusion.culprit).toBe('payment');
    expect(report.errors[0]).toMatchObject({
      service: 'payment',
      path: 'payment 503 → shop 502 → gateway 502',
      before: 0,
      during: 100,
    });
  });

  test('blames the callee for requests that queue before it reads them', () => {
    const report = conclusionOf((ms) => (isFault(ms) ? { paymentQueuedMs: 200 } : {}));
    expect(report.conclusion.culprit).toBe('payment');
  });

  test('finds the incident to within a piece of its search', () => {
    const { incident } = conclusionOf((ms) => (isFault(ms) ? { paymentMs: 300 } : {})).windows;
    expect(Math.abs(incident!.fromMs - 12_000)).toBeLessThanOrEqual(250);
    expect(Math.abs(incident!.toMs - 18_000)).toBeLessThanOrEqual(250);
  });

  test('says nothing stands out where nothing does', () => {
    const report = conclusionOf((_, i) => ({ paymentMs: 5 + (i % 7) }));
    expect(report.conclusion.culprit).toBeNull();
    expect(report.windows.incident).toBeNull();
    expect(report.conclusion.headline).toContain('No stretch of time stands out');
  });

  test('does not make an incident of a few failures spread over time', () => {
    const report = conclusionOf((_, i) => (i % 100 === 0 ? { paymentStatus: 500 } : {}));
    expect(report.windows.incident).toBeNull();
    expect(report.conclusion.headline).toContain('15 of 1,500');
  });

  test('names none where two services share the blame', () => {
    const report = conclusionOf((ms) => (isFault(ms) ? { paymentMs: 105, catalogMs: 102 } : {}));
    expect(report.conclusion.culprit).toBeNull();
    expect(report.conclusion.headline).toContain('no single service');
    expect(report.factors.map(({ service }) => service).sort()).toEqual(['catalog', 'payment']);
  });

  test('puts a stretch of failures before a worse one of waiting, and tells of both', () => {
    const report = conclusionOf((ms, i) => {
      if (ms < 3000) return { catalogMs: 80 };
      return isFault(ms) && i % 3 === 0 ? { paymentStatus: 503 } : {};
    });
    expect(report.conclusion.culprit).toBe('payment');
    expect(report.windows.others).toHaveLength(1);
    expect(report.windows.baseline[0]!.fromMs).toBeCloseTo(3000, -3);
    const said = report.conclusion.sentences.map(({ text }) => text).join('\n');
    expect(said).toContain('Another stretch stands out, from 12:00:00.000');
  });

  test('does not bluff about latency where there is nothing to compare with', () => {
    const builder = shopDay(() => ({ paymentMs: 300 }));
    const incident = { fromNs: EPOCH_NS, toNs: EPOCH_NS + 30_000_000_000n };
    const { report } = analyze(stored(builder, LENGTH), { ...OPTIONS, incident });
    expect(report.conclusion.culprit).toBeNull();
    expect(report.conclusion.caveats.join()).toContain('no time to compare with');
  });

  test('says so when it names what was not recorded', () => {
    const builder = new SpanBuilder();
    for (let i = 0; i < 1500; i++) {
      const ms = isFault(i * 20) ? 200 : 3;
      const call = { from: 'app', to: '10.0.0.9', at: 1, ms, unrecorded: true };
      builder.request(i * 20, { from: 'driver', to: 'app', at: 0, ms: ms + 2, steps: [call] });
    }
    const { report } = analyze(stored(builder, LENGTH), OPTIONS);
    expect(report.conclusion.culprit).toBe('10.0.0.9:80');
    expect(report.conclusion.caveats.join()).toContain('was not recorded');
  });

  test('warns where no recorder ran for a part of the incident, and not where one was away elsewhere', () => {
    const builder = shopDay((ms) => (isFault(ms) ? { paymentMs: 300 } : {}));
    const away = (from: bigint, to: bigint) => ({
      host: 'shop-host',
      cause: 'unrecorded',
      count: 1,
      fromNs: `${EPOCH_NS + from * 1_000_000n}`,
      toNs: `${EPOCH_NS + to * 1_000_000n}`,
      scope: 'no recorder ran',
    });
    const within = analyze(
      stored(builder, LENGTH, { losses: [away(13_000n, 14_000n)] }),
      OPTIONS,
    ).report;
    expect(within.conclusion.caveats.join()).toContain('On shop-host no recorder ran');
    expect(within.quality.notes).toContainEqual({
      level: 'poor',
      label: 'no recorder ran at times',
      text: expect.stringContaining('shop-host from 12:00:13.000 to 12:00:14.000'),
    });
    const before = analyze(
      stored(builder, LENGTH, { losses: [away(1000n, 1100n)] }),
      OPTIONS,
    ).report;
    expect(before.conclusion.caveats.join()).not.toContain('no recorder ran');
    expect(before.quality.notes).toContainEqual(
      expect.objectContaining({ level: 'fair', label: 'no recorder ran at times' }),
    );
  });

  test('warns where calls of the named service could not be linked', () => {
    const builder = shopDay((ms) => (isFault(ms) ? { paymentMs: 300 } : {}));
    for (let i = 0; i < 50; i++) {
      builder.request(i * 500, { from: 'payment', to: 'bank', at: 9, ms: 1, unlinked: true });
    }
    const { report } = analyze(stored(builder, LENGTH), OPTIONS);
    expect(report.conclusion.caveats.join()).toContain('calls of payment could not be linked');
  });

  test('warns of losses that fall into the incident, and only of those', () => {
    const day = shopDay((ms) => (isFault(ms) ? { paymentMs: 300 } : {}));
    const loss = (ms: number) => ({
      host: 'vm',
      cause: 'ring_full',
      scope: 'events',
      count: 7,
      fromNs: String(EPOCH_NS + BigInt(ms) * 1_000_000n),
      toNs: String(EPOCH_NS + BigInt(ms + 1000) * 1_000_000n),
    });
    const inside = analyze(stored(day, LENGTH, { losses: [loss(13_000)] }), OPTIONS).report;
    const outside = analyze(stored(day, LENGTH, { losses: [loss(1000)] }), OPTIONS).report;
    expect(inside.conclusion.caveats.join()).toContain('lost 7 records');
    expect(outside.conclusion.caveats.join()).not.toContain('lost');
  });

  test('does not count a failed call that a retry made good', () => {
    const builder = new SpanBuilder();
    for (let i = 0; i < 1500; i++) {
      const failed = { from: 'app', to: 'stock', at: 0.1, ms: 1, status: 503 };
      const retried = { from: 'app', to: 'stock', at: 1.2, ms: 1 };
      builder.request(i * 20, {
        from: 'driver',
        to: 'app',
        at: 0,
        ms: 4,
        steps: [failed, retried],
      });
    }
    const { report } = analyze(stored(builder, LENGTH), OPTIONS);
    expect(report.impact.during.failed).toBe(0);
    expect(report.errors).toEqual([]);
  });

  test('does not call a request failed that the end of the recording cut off', () => {
    const builder = shopDay(() => ({}));
    const cut = { ...checkout(), status: 0, lossFlags: LossFlag.responseUnseen, steps: [] };
    builder.request(29_990, cut);
    builder.request(15_000, cut);
    const { report } = analyze(stored(builder, LENGTH), OPTIONS);
    expect(report.impact.during.failed).toBe(1);
    expect(report.errors[0]!.symptom).toBe('no response');
  });
});
