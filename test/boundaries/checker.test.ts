import { describe, expect, it } from 'vitest';
import { findCycles } from './cycles.js';
import { importsOf } from './imports.js';
import { findImportCycles, findViolations, layerOf, type Sources } from './rules.js';

/** A small tree of sources in memory. */
function tree(files: Readonly<Record<string, string>>): Sources {
  return new Map(Object.entries(files));
}

const specifiers = (source: string) => importsOf(source).map(({ specifier }) => specifier);

describe('importsOf', () => {
  it('finds every form of import, with its line', () => {
    const source = [
      "import a from 'a';",
      "import type { B } from './b.js';",
      'import {',
      '  c,',
      "  type D as E } from '../c.js';",
      "import * as f from 'f';",
      "import 'g';",
      "export { h } from './h.js';",
      "export * from './i.js';",
      "export type { J } from './j.js';",
      "type K = typeof import('k');",
      "const l = await import('./l.js');",
      "const m = require('m');",
    ].join('\n');
    expect(importsOf(source).map(({ specifier, line }) => `${line} ${specifier}`)).toEqual([
      '1 a',
      '2 ./b.js',
      '3 ../c.js',
      '6 f',
      '7 g',
      '8 ./h.js',
      '9 ./i.js',
      '10 ./j.js',
      '11 k',
      '12 ./l.js',
      '13 m',
    ]);
  });

  it('reads neither comments nor what only looks like an import', () => {
    const source = [
      "// import a from 'a';",
      "/* import b from 'b';",
      "import c from 'c'; */",
      "const address = 'http://x'; import d from 'd';",
      "export const from = 'e';",
      'export function f() {',
      "  return new Importer('f').import('g');",
      '}',
      'const loader = `data:text/javascript,import{register}from`;',
    ].join('\n');
    expect(specifiers(source)).toEqual(['d']);
  });

  it('keeps what is known of a computed import', () => {
    const found = { specifier: './commands/', suffix: '.js', line: 1 };
    const template = 'await import(`./commands/$' + '{name}.js`)';
    expect(importsOf(template)).toEqual([found]);
    expect(importsOf('await import(name)')).toEqual([{ specifier: '', suffix: '', line: 1 }]);
  });
});

describe('layerOf', () => {
  it('takes the most specific layer and never a mere prefix of a name', () => {
    expect(layerOf('report/contract.ts')).toBe('report/contract');
    expect(layerOf('report/viewer/waterfall.tsx')).toBe('report/viewer');
    expect(layerOf('reporter/x.ts')).toBeUndefined();
    expect(layerOf('report/other.ts')).toBeUndefined();
    expect(layerOf('modelling/x.ts')).toBeUndefined();
  });
});

describe('findViolations', () => {
  it.each([
    ['model/a.ts', '../store/b.js'],
    ['http1/a.ts', '../store/b.js'],
    ['store/a.ts', '../http1/b.js'],
    ['store/a.ts', '../recorder/b.js'],
    ['recorder/a.ts', '../reconstruct/b.js'],
    ['reconstruct/deep/a.ts', '../../recorder/b.js'],
    ['reconstruct/a.ts', '../report/contract.js'],
    ['report/contract.ts', './analyze/b.js'],
    ['report/contract.ts', '../store/b.js'],
    ['report/format.ts', '../model/b.js'],
    ['report/text.ts', './render/b.js'],
    ['report/analyze/a.ts', '../render/b.js'],
    ['report/analyze/a.ts', '../../reconstruct/b.js'],
    ['report/render/a.ts', '../../model/b.js'],
    ['report/render/a.ts', '../viewer/b.js'],
    ['report/render/a.ts', '../analyze/b.js'],
    ['report/viewer/a.tsx', '../../store/b.js'],
    ['report/report.ts', '../reconstruct/b.js'],
    ['cli/a.ts', '../http1/b.js'],
    ['cli/a.ts', '../report/analyze/b.js'],
    ['report/analyze/a.ts', '../../cli/b.js'],
  ])('catches %s importing %s, even as a type', (path, specifier) => {
    const text = `\nimport type { B } from '${specifier}';\n`;
    const [breach, ...others] = findViolations(tree({ [path]: text }));
    expect(others).toEqual([]);
    expect(breach).toMatch(`src/${path}:2 imports '${specifier}': `);
    expect(breach).toContain('but not ');
  });

  it.each([
    ['reconstruct/worker.ts', 'piscina'],
    ['recorder/record.ts', 'yargs/helpers'],
    ['report/render/html.ts', 'preact/hooks'],
    ['report/render/html.ts', '@preact/signals'],
    ['recorder/a.ts', 'flatbuffers'],
    ['reconstruct/a.ts', 'parquet-wasm'],
    ['report/analyze/a.ts', 'hyparquet'],
    ['store/a.ts', '@dagrejs/dagre'],
  ])('catches %s importing the package %s, even dynamically', (path, name) => {
    const [breach] = findViolations(tree({ [path]: `await import('${name}');` }));
    expect(breach).toMatch(`src/${path}:1 imports '${name}': `);
    expect(breach).toContain('may be imported only in ');
  });

  it('allows what the rules allow', () => {
    const sources = tree({
      'reconstruct/pool.ts': "import { Piscina } from 'piscina';",
      'cli/main.ts': "import yargs from 'yargs'; import '../reconstruct/pool.js';",
      'store/a.ts': "import 'hyparquet'; import '../model/b.js'; import 'node:fs';",
      'report/report.ts':
        "import './render/a.js'; import './analyze/b.js'; import '../store/a.js';",
      'report/viewer/a.tsx': "import { h } from 'preact'; import '../text.js';",
      'report/analyze/graph.ts': "import dagre from '@dagrejs/dagre';",
    });
    expect(findViolations(sources)).toEqual([]);
  });

  it('catches a computed import, and a breach behind a partly computed one', () => {
    expect(findViolations(tree({ 'cli/a.ts': 'await import(name);' }))[0]).toContain('computed');
    const template = 'await import(`../$' + '{name}.js`);';
    const sources = tree({ 'store/a.ts': template, 'recorder/b.ts': '', 'model/c.ts': '' });
    expect(findViolations(sources)[0]).toContain('but not recorder');
  });

  it('catches an addon loaded elsewhere, and a file without a layer', () => {
    const load = "process.dlopen(module, 'x');";
    const sources = { 'recorder/a.ts': load, 'native/addon.ts': load, 'new/a.ts': '' };
    expect(findViolations(tree(sources))).toEqual([
      'src/recorder/a.ts:1 loads an addon: only native/addon.ts may',
      'src/new/a.ts belongs to no layer of docs/ARCHITECTURE.md: give it a rule',
    ]);
    const path = "new URL('../../prebuilds/x/aftertrace.node', import.meta.url)";
    expect(findViolations(tree({ 'cli/a.ts': path }))).toHaveLength(1);
    expect(findViolations(tree({ 'cli/a.ts': 'createRequire(x)(ADDON)' }))).toHaveLength(1);
  });
});

describe('cycles', () => {
  it('are named, type-only edges included', () => {
    const sources = tree({
      'model/a.ts': "import type { B } from './b.js';",
      'model/b.ts': "export * from './c.js';",
      'model/c.ts': "const a = await import('./a.js');",
      'model/d.ts': "import './a.js';",
    });
    expect(findImportCycles(sources)).toEqual([
      'model/a.ts -> model/b.ts -> model/c.ts -> model/a.ts',
    ]);
  });

  it('are found where a file imports itself, and nowhere in a diamond', () => {
    expect(findCycles(new Map([['a', ['a']]]))).toEqual([['a']]);
    const diamond = { a: ['b', 'c'], b: ['d'], c: ['d'], d: [] };
    expect(findCycles(new Map(Object.entries(diamond)))).toEqual([]);
  });
});
