import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { EVENT_COLUMNS } from '../../src/model/batch.js';
import type { ColumnSpec, ColumnSpecs } from '../../src/model/columns.js';
import { SOURCE_COLUMNS } from '../../src/model/imported.js';
import { LINK_COLUMNS, SPAN_COLUMNS, TRACE_COLUMNS } from '../../src/model/span.js';
import { CHAIN_KEY } from '../../src/store/chain.js';
import { SEGMENT_KEYS } from '../../src/store/segment-header.js';

const PATH = join(import.meta.dirname, '../../docs/format.md');
const TABLES: Readonly<Record<string, ColumnSpecs>> = {
  events: EVENT_COLUMNS,
  spans: SPAN_COLUMNS,
  traces: TRACE_COLUMNS,
  links: LINK_COLUMNS,
  sources: SOURCE_COLUMNS,
};
const TYPE_NAMES = { text: 'string', utf8: 'string', float64: 'double' } as const;

function describeColumn([name, spec]: [string, ColumnSpec]): string {
  const type = spec.type in TYPE_NAMES ? TYPE_NAMES[spec.type as 'text'] : spec.type;
  const meaning = spec.nullable ? 'no value' : 'never there';
  return `| \`${name}\` | ${type} | ${meaning} | ${spec.encoding ?? 'dictionary'} | ${spec.doc.replaceAll('|', '\\|')} |`;
}

function renderTable(specs: ColumnSpecs): string {
  const head = '| column | type | NULL means | encoding | meaning |\n|---|---|---|---|---|\n';
  return `${head}${Object.entries(specs).map(describeColumn).join('\n')}\n`;
}

function withTables(text: string): string {
  return text.replace(
    /(<!-- columns:(\w+) -->\n)[\s\S]*?(<!-- \/columns -->)/g,
    (_all, open: string, name: string, close: string) => open + renderTable(TABLES[name]!) + close,
  );
}

/** UPDATE_DOCS=1 writes the tables into docs/format.md; without it they must be there. */
test('docs/format.md documents every column as the code defines it', () => {
  const text = readFileSync(PATH, 'utf8');
  if (process.env.UPDATE_DOCS === '1') writeFileSync(PATH, withTables(text));
  expect(readFileSync(PATH, 'utf8')).toBe(withTables(text));
  for (const name of Object.keys(TABLES)) expect(text).toContain(`<!-- columns:${name} -->`);
});

test('docs/format.md documents every metadata key', () => {
  const text = readFileSync(PATH, 'utf8');
  for (const key of ['format_version', 'content', CHAIN_KEY, ...Object.values(SEGMENT_KEYS)]) {
    expect(text).toContain(`\`${key}\``);
  }
});
