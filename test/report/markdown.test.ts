import { describe, expect, test } from 'vitest';
import { analyze } from '../../src/report/analyze/analyze.js';
import { renderMarkdown } from '../../src/report/render/markdown.js';
import { mermaidLabel, plain } from '../../src/report/render/markdown-text.js';
import { codeSpan } from '../../src/report/text.js';
import { HOSTILE } from './hostile.js';
import { OPTIONS, SpanBuilder, shopDay, stored } from './shop-spans.js';

describe('the Markdown report', () => {
  const day = shopDay((ms, i) =>
    ms >= 12_000 && ms < 18_000 ? { paymentMs: 200, paymentStatus: i % 4 ? 200 : 503 } : {},
  );
  const text = renderMarkdown(analyze(stored(day, 30_000), OPTIONS).report);

  test('stands on its own under the headings of a post-mortem', () => {
    const headings = [...text.matchAll(/^## (.*)$/gm)].map(([, name]) => name);
    expect(headings).toEqual([
      'Summary',
      'Data quality',
      'Impact',
      'Timeline',
      'Candidate factors',
      'Errors by origin',
      'Worst traces',
      'Services',
      'Detection',
      'Resolution',
      'Action items',
      'Lessons learned',
      'Evidence',
      'Method',
    ]);
    expect(text).toContain('The candidate is payment');
    expect(text).toContain('payment 503 → shop 502 → gateway 502');
  });

  test('keeps every table in shape', () => {
    const tables = text.split('\n\n').filter((block) => block.startsWith('| '));
    expect(tables.length).toBeGreaterThan(5);
    for (const table of tables) {
      const cells = table.split('\n').map((row) => row.split(/(?<!\\)\|/).length);
      expect(new Set(cells).size).toBe(1);
    }
  });
});

describe('hostile text in Markdown', () => {
  test('never leaves its code span or its table cell', () => {
    const builder = new SpanBuilder();
    for (const [i, target] of HOSTILE.entries()) {
      builder.request(i * 100, { from: 'driver', to: target, at: 0, ms: 5, status: 500, target });
    }
    const text = renderMarkdown(analyze(stored(builder, 2000), OPTIONS).report);
    const outside = text
      .replaceAll(/^```\w+\n[\s\S]*?^```$/gm, '')
      .replaceAll(/(?<!`)(`+)(?!`)[^\n]*?(?<!`)\1(?!`)/g, '');
    expect(outside).not.toMatch(/(?<!\\)<(script|img|b)\b/);
    expect(outside).not.toMatch(/(?<!\\)\]\(javascript/);
    expect(text).not.toMatch(/^# heading/m);
    expect(text).not.toMatch(/(?!\n)\p{Cc}|\u202e|\u2028/u);
    expect(Math.max(...text.split('\n').map((line) => line.length))).toBeLessThan(2000);
  });

  test('is shown as it was', () => {
    expect(codeSpan('a`b')).toBe('``a`b``');
    expect(codeSpan('`')).toBe('`` ` ``');
    expect(codeSpan('a\\|b')).toBe('`a\\\\u{7c}b`');
    expect(plain('[x](y) <b> *z*')).toBe('\\[x\\](y) \\<b\\> \\*z\\*');
    expect(plain('http://a www.b @c')).toBe('http&#58;//a www&#46;b &#64;c');
    expect(mermaidLabel('a"b[c]')).toBe('a#34;b#91;c#93;');
  });
});
