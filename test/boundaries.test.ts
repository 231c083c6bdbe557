import { readdirSync, readFileSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { describe, expect, it } from 'vitest';
import { importsOf } from './boundaries/imports.js';
import { findImportCycles, findViolations, type Sources, targetsOf } from './boundaries/rules.js';

const SRC = fileURLToPath(new URL('../src', import.meta.url));

function readSources(): Sources {
  const paths = readdirSync(SRC, { recursive: true, encoding: 'utf8' })
    .filter((path) => /\.tsx?$/.test(path))
    .sort();
  return new Map(
    paths.map((path) => [path.split(sep).join('/'), readFileSync(join(SRC, path), 'utf8')]),
  );
}

const sources = readSources();

/** Per file what esbuild's parser says it imports: everything but types. */
async function importsByParser(): Promise<Map<string, string[]>> {
  const { metafile } = await build({
    entryPoints: [...sources.keys()].map((path) => join(SRC, path)),
    absWorkingDir: SRC,
    outdir: join(SRC, 'never-written'),
    bundle: true,
    write: false,
    metafile: true,
    format: 'esm',
    jsx: 'preserve',
    logLevel: 'silent',
    tsconfigRaw: { compilerOptions: { verbatimModuleSyntax: true } },
    plugins: [
      {
        name: 'look, but do not follow',
        setup({ onResolve }) {
          onResolve({ filter: /./ }, ({ kind, path }) =>
            kind === 'entry-point' ? undefined : { path, external: true },
          );
        },
      },
    ],
  });
  return new Map(
    Object.entries(metafile.inputs).map(([path, { imports }]) => [
      relative('.', path).split(sep).join('/'),
      // Helpers of its own are no imports of the source.
      imports.map((found) => found.path).filter((name) => name !== '<runtime>'),
    ]),
  );
}

describe('the module rules of docs/ARCHITECTURE.md', () => {
  it('are checked on the sources, not on an empty directory', () => {
    expect(sources.size).toBeGreaterThan(50);
    expect([...sources.keys()]).toContain('model/batch.ts');
    expect([...sources.keys()]).toContain('cli/main.ts');
  });

  it('hold for every import', () => {
    expect(findViolations(sources)).toEqual([]);
  });

  it('leave no cycle of imports', () => {
    expect(findImportCycles(sources)).toEqual([]);
  });

  it('are checked on every import that esbuild finds', async () => {
    const parsed = await importsByParser();
    expect([...parsed.keys()].sort()).toEqual([...sources.keys()]);
    const total = [...parsed.values()].flat().length;
    expect(total).toBeGreaterThan(sources.size);
    const missed = [...parsed].flatMap(([path, imports]) => {
      const found = importsOf(sources.get(path)!);
      // esbuild writes a computed import as a glob.
      const isFound = (name: string) =>
        found.some(({ specifier, suffix }) =>
          suffix === undefined ? name === specifier : name.startsWith(`${specifier}*`),
        );
      return imports.filter((name) => !isFound(name)).map((name) => `${path}: ${name}`);
    });
    expect(missed).toEqual([]);
  });

  it('follow the one import that is computed to every file it can mean', () => {
    const path = 'cli/main.ts';
    const computed = importsOf(sources.get(path)!).filter(({ suffix }) => suffix !== undefined);
    expect(computed.map((found) => targetsOf(path, found, sources))).toEqual([
      [...sources.keys()].filter((file) => file.startsWith('cli/commands/')),
    ]);
  });
});
