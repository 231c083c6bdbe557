import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { reconstruct } from '../../src/reconstruct/reconstruct.js';
import { report } from '../../src/report/report.js';
import { writeReconstruction } from '../../src/store/span-store.js';
import { accessibilityProblems, launch, openFile, whyNoBrowser } from './browser.js';
import { HOSTILE } from './hostile.js';
import { SpanBuilder, stored } from './shop-spans.js';

const FIXTURE = fileURLToPath(new URL('../../fixtures/segments/shop/segments', import.meta.url));
const directory = mkdtempSync(join(tmpdir(), 'aftertrace-page-'));
const shopPage = join(directory, 'shop.html');
const hostilePage = join(directory, 'hostile.html');
const LIMITS = { maxTraces: 200, maxSpans: 100_000, force: true };

async function makeShopPage(): Promise<void> {
  const output = join(directory, 'shop');
  await reconstruct({ inputs: [FIXTURE], output, minConfidence: 0.9 });
  await report({ input: output, html: shopPage, ...LIMITS });
}

/** Every captured field of the page holds hostile text, the file names too. */
async function makeHostilePage(): Promise<void> {
  const builder = new SpanBuilder();
  for (const [i, target] of HOSTILE.entries()) {
    const call = { from: target, to: `peer ${target}`, at: 1, ms: 2, unrecorded: true };
    builder.request(i * 100, {
      from: 'driver',
      to: target,
      at: 0,
      ms: 5,
      status: 500,
      target,
      steps: [call],
    });
  }
  const segments = HOSTILE.map((file) => ({
    file,
    host: file,
    bootId: '',
    fromNs: '0',
    toNs: '0',
    rows: 1,
    bytes: 1,
    partial: false,
  }));
  const unreadable = HOSTILE.map((file) => ({ file, reason: file }));
  const output = join(directory, 'hostile');
  await writeReconstruction(output, stored(builder, 2000, { segments, unreadable }));
  await report({ input: output, html: hostilePage, ...LIMITS });
}

describe.skipIf(whyNoBrowser !== '')('the report in a browser', () => {
  let browser: Browser;
  beforeAll(async () => {
    await makeShopPage();
    await makeHostilePage();
    browser = await launch();
  });
  afterAll(async () => {
    await browser?.close();
    rmSync(directory, { recursive: true, force: true });
  });

  test('names the faulty service, without complaint and without network', async () => {
    const { page, complaints } = await openFile(browser, shopPage);
    expect(await page.textContent('#headline')).toBe(
      'The candidate is payment: the incident begins there.',
    );
    await page.waitForSelector('.span');
    expect(complaints).toEqual([]);
    await page.close();
  });

  test('shows the evidence of an inferred link on a click, with rivals and queries', async () => {
    const { page, complaints } = await openFile(browser, shopPage);
    await page.selectOption('.filters select', 'confidence');
    await page.click('.trace >> nth=0');
    await page.click('.span.probable >> nth=0');
    const drawer = page.locator('.drawer');
    expect(await drawer.textContent()).toMatch(/≈ by \w+, \d.* sure; \d+ alternatives?\./);
    expect(await drawer.locator('.candidates > li').count()).toBeGreaterThan(1);
    expect(await drawer.locator('pre').textContent()).toContain('links.parquet');
    await page.keyboard.press('Escape');
    expect(await drawer.count()).toBe(0);
    expect(complaints).toEqual([]);
    await page.close();
  });

  test('opens the trace and span that its address names', async () => {
    const first = await openFile(browser, shopPage);
    await first.page.click('.trace >> nth=5');
    await first.page.click('.span >> nth=4');
    await first.page.waitForFunction(() => location.hash.includes('span='));
    const { hash, heading } = await first.page.evaluate(() => ({
      hash: location.hash,
      heading: document.querySelector('.drawer h3')!.textContent,
    }));
    await first.page.close();
    const second = await browser.newPage();
    await second.goto(`file://${shopPage}${hash}`);
    await second.waitForSelector('.drawer');
    expect(await second.textContent('.drawer h3')).toBe(heading);
    await second.close();
  });

  test('filters the traces by text, by kind and by a part of the heat map', async () => {
    const { page } = await openFile(browser, shopPage);
    const shown = () => page.locator('.trace').count();
    const all = await shown();
    await page.click('.pill:has-text("failed")');
    const failed = await shown();
    expect(failed).toBeGreaterThan(0);
    expect(failed).toBeLessThan(all);
    await page.click('.pill:has-text("all")');
    await page.fill('.filters input', 'no such trace');
    expect(await shown()).toBe(0);
    await page.fill('.filters input', '');
    await page.locator('.cell.failed').first().click();
    const inCell = await shown();
    expect(inCell).toBeGreaterThan(0);
    expect(inCell).toBeLessThan(all);
    await page.close();
  });

  for (const scheme of ['light', 'dark'] as const) {
    test(`passes axe in ${scheme}`, async () => {
      const { page } = await openFile(browser, shopPage, scheme);
      await page.click('.span >> nth=2');
      expect(await accessibilityProblems(page)).toEqual([]);
      await page.close();
    });
  }

  test('shows hostile text as text', async () => {
    const { page, complaints } = await openFile(browser, hostilePage);
    for (const trace of await page.locator('.trace').all()) {
      await trace.click();
      await page.click('.span >> nth=0');
      await page.keyboard.press('Escape');
    }
    expect(await page.evaluate(() => 'hacked' in globalThis)).toBe(false);
    expect(await page.locator('main img, main script, main b script').count()).toBe(0);
    expect(complaints).toEqual([]);
    await page.close();
  });

  test('would notice a script that is not its own', async () => {
    const path = join(directory, 'injected.html');
    const { readFileSync } = await import('node:fs');
    const text = readFileSync(shopPage, 'utf8');
    writeFileSync(path, text.replace('<main>', '<main><script>window.hacked=1</script>'));
    const { page, complaints } = await openFile(browser, path);
    expect(await page.evaluate(() => 'hacked' in globalThis)).toBe(false);
    expect(complaints.join()).toContain('Content Security Policy');
    await page.close();
  });

  test('reads without JavaScript', async () => {
    const context = await browser.newContext({ javaScriptEnabled: false });
    const page = await context.newPage();
    await page.goto(`file://${shopPage}`);
    expect(await page.textContent('#headline')).toContain('payment');
    expect(await page.locator('#explorer tbody tr').count()).toBeGreaterThan(5);
    await context.close();
  });
});
