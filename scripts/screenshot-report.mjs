/**
 * Takes the README's pictures from a report: node scripts/screenshot-report.mjs [REPORT.html]
 * The default is the report that `npm run demo` left. Needs Chromium.
 */
import { mkdirSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { chromium } from 'playwright-core';

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
const report = resolve(process.argv[2] ?? join(ROOT, 'demo', 'out', 'report.html'));
const images = join(ROOT, 'docs', 'images');
mkdirSync(images, { recursive: true });

const browser = await chromium.launch({
  executablePath: '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking'],
});
const page = await browser.newPage({ viewport: { width: 1240, height: 1560 } });
await page.goto(pathToFileURL(report).href);
await page.waitForSelector('.span');
await page.screenshot({ path: join(images, 'report.png') });

await page.setViewportSize({ width: 1640, height: 860 });
await page.selectOption('.filters select', 'confidence');
await page.click('.trace >> nth=0');
// The least sure link there is; where all are certain, any call.
const probable = page.locator('.span.probable');
await ((await probable.count()) > 0 ? probable.first() : page.locator('.span').nth(4)).click();
await page.evaluate(() => document.getElementById('traces').scrollIntoView());
// The page scrolls smoothly.
await page.waitForTimeout(1000);
await page.screenshot({ path: join(images, 'evidence.png') });
await browser.close();
console.log(`wrote ${join(images, 'report.png')} and evidence.png`);
