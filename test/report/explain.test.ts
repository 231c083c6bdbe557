import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { reconstruct } from '../../src/reconstruct/reconstruct.js';
import { explain } from '../../src/report/explain.js';
import {
  readReconstruction,
  type StoredReconstruction,
  writeReconstruction,
} from '../../src/store/span-store.js';
import { useTemporaryDirectories } from '../store/temporary.js';
import { HOSTILE } from './hostile.js';
import { SpanBuilder, stored } from './shop-spans.js';

const FIXTURE = fileURLToPath(new URL('../../fixtures/segments/shop/segments', import.meta.url));
const OUT = mkdtempSync(join(tmpdir(), 'aftertrace-explain-'));
const temporaryDirectory = useTemporaryDirectories();

describe('explain', () => {
  let shop: StoredReconstruction;
  beforeAll(async () => {
    await reconstruct({ inputs: [FIXTURE], output: OUT, minConfidence: 0.9, force: true });
    shop = await readReconstruction(OUT);
  });

  afterAll(() => rmSync(OUT, { recursive: true, force: true }));

  const firstWith = (verdict: string, candidates: number) =>
    shop.spans.parent_verdict.findIndex(
      (v, row) =>
        v === verdict &&
        shop.spans.role[row] === 'client' &&
        shop.spans.candidates[row]! >= candidates,
    );

  test('tells of an inferred parent how sure it is, why, and who the rivals were', async () => {
    const row = firstWith('probable', 2);
    const text = (await explain(OUT, shop.spans.span_id[row]!)).join('\n');
    expect(text).toMatch(
      /Its parent is inferred, mostly by [a-z-]+: [\d.> ]+ % sure; \d+ rivals?\./,
    );
    expect(text).toContain(`span ${shop.spans.parent_span_id[row]}`);
    expect(text.match(/\(chosen\)/g)).toHaveLength(1);
    expect(text).toMatch(/ for: .*times as likely\)/);
    expect(text).toMatch(/ against: .*times less likely\)/);
  });

  test('says of an unknown parent that the evidence did not suffice', async () => {
    const row = firstWith('unknown', 2);
    const text = (await explain(OUT, shop.spans.span_id[row]!)).join('\n');
    expect(text).toContain('too little to link it');
    expect(text).not.toContain('(chosen)');
  });

  test('says what joins a hop', async () => {
    const row = shop.spans.parent_method.indexOf('hop');
    const text = (await explain(OUT, shop.spans.span_id[row]!)).join('\n');
    expect(text).toContain('the same TCP sequence number at both');
  });

  test('takes the beginning of an id, if it is the beginning of one alone', async () => {
    const id = shop.spans.span_id[0]!;
    expect(await explain(OUT, id.slice(0, 12))).toEqual(await explain(OUT, id.toUpperCase()));
    await expect(explain(OUT, '')).rejects.toMatchObject({ code: 'INPUT' });
    await expect(explain(OUT, 'xyz')).rejects.toThrow('no span’s id begins'.replace('’', "'"));
  });

  test('stays one line per statement, whatever was captured', async () => {
    const builder = new SpanBuilder();
    for (const target of HOSTILE) {
      builder.request(0, { from: 'driver', to: 'app', at: 0, ms: 1, target });
    }
    const out = temporaryDirectory();
    await writeReconstruction(out, stored(builder, 1000));
    const { spans } = await readReconstruction(out);
    for (const id of spans.span_id) expect((await explain(out, id)).length).toBeGreaterThan(1);
  });
});
