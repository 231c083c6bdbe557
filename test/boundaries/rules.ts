import { dirname, join } from 'node:path/posix';
import { findCycles } from './cycles.js';
import { type Import, importsOf } from './imports.js';

/** Source text by path below src, as in `store/catalog.ts`. */
export type Sources = ReadonlyMap<string, string>;

/** What all of report shares: the contract, and how numbers and texts are written. */
const SHARED = ['report/contract', 'report/format', 'report/text'];

/**
 * The layers of docs/ARCHITECTURE.md ("Rules") and what each may import besides itself.
 * The most specific prefix of a path decides which layer it belongs to.
 */
const LAYERS: Readonly<Record<string, readonly string[]>> = {
  model: [],
  http1: ['model'],
  native: ['model'],
  store: ['model', 'native'],
  recorder: ['model', 'http1', 'native', 'store'],
  reconstruct: ['model', 'http1', 'store'],
  import: ['model', 'store'],
  'report/contract': ['model'],
  'report/format': [],
  'report/text': [],
  'report/analyze': ['model', 'store', ...SHARED],
  'report/render': SHARED,
  'report/viewer': [...SHARED, 'report/render'],
  'report/report': ['model', 'store', 'report/analyze', 'report/render', ...SHARED],
  'report/explain': ['model', 'store', 'report/format', 'report/text'],
  cli: [
    'model',
    'store',
    'recorder',
    'reconstruct',
    'import',
    'report/report',
    'report/explain',
    'report/contract',
  ],
};

/** Where a package may be imported: a directory, or one file. Others may be used anywhere. */
const PACKAGES: Readonly<Record<string, string>> = {
  piscina: 'reconstruct/pool.ts',
  yargs: 'cli/',
  'smol-toml': 'cli/config-file.ts',
  'prom-client': 'recorder/metrics.ts',
  preact: 'report/viewer/',
  '@preact/signals': 'report/viewer/',
  flatbuffers: 'store/',
  'age-encryption': 'store/',
  'parquet-wasm': 'store/',
  hyparquet: 'store/',
  '@dagrejs/dagre': 'report/',
};

const ADDON_FILE = 'native/addon.ts';
/** Finds a native addon's file name, and calls that load one. */
const LOADS_ADDON = /\.node['"`]|\bdlopen\b|\bcreateRequire\([^)]*\)\(/;

/** The layer of a path below src, undefined if it has none. */
export function layerOf(path: string): string | undefined {
  const stem = path.replace(/\.tsx?$/, '');
  return Object.keys(LAYERS)
    .filter((layer) => stem === layer || stem.startsWith(`${layer}/`))
    .sort((a, b) => b.length - a.length)[0];
}

/** `@scope/name/sub` -> @scope/name, `yargs/helpers` -> yargs. */
function packageOf(specifier: string): string {
  return specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');
}

/** Files among the sources that a relative import can mean; `.js` names the `.ts` it is made from. */
export function targetsOf(from: string, found: Import, sources: Sources): string[] {
  const path = join(dirname(from), found.specifier).replace(/^\.\//, '');
  if (found.suffix !== undefined) {
    const ending = found.suffix.replace(/\.js$/, '');
    return [...sources.keys()].filter(
      (file) => file.startsWith(path) && file.replace(/\.tsx?$/, '').endsWith(ending),
    );
  }
  const stem = path.replace(/\.(js|ts)x?$/, '');
  return [`${stem}.ts`, `${stem}.tsx`, `${stem}/index.ts`].filter((file) => sources.has(file));
}

function checkImport(from: string, found: Import, sources: Sources): string | undefined {
  const { specifier } = found;
  if (specifier === '') return 'what it imports is computed, so that no rule can be checked';
  if (!specifier.startsWith('.')) {
    const allowed = PACKAGES[packageOf(specifier)];
    const isAllowed = allowed === undefined || from.startsWith(allowed);
    return isAllowed ? undefined : `${packageOf(specifier)} may be imported only in ${allowed}`;
  }
  const layer = layerOf(from)!;
  const targets = targetsOf(from, found, sources);
  // A file that is not there yet still has a place, and the compiler reports that it is missing.
  if (targets.length === 0) targets.push(join(dirname(from), specifier).replace(/\.js$/, '.ts'));
  for (const target of targets) {
    const other = layerOf(target);
    if (other === layer) continue;
    if (other === undefined) return `${target} belongs to no layer`;
    if (!LAYERS[layer]!.includes(other)) {
      const may = LAYERS[layer]!.join(', ') || 'nothing';
      return `${layer} may import ${may} besides itself, but not ${other}`;
    }
  }
  return undefined;
}

function describe(from: string, found: Import): string {
  const hole = found.suffix === undefined ? '' : `\${...}${found.suffix}`;
  return `src/${from}:${found.line} imports '${found.specifier}${hole}'`;
}

/** Every breach of the rules on imports, one line each; empty if all is well. */
export function findViolations(sources: Sources): string[] {
  return [...sources].flatMap(([from, text]) => {
    if (layerOf(from) === undefined) {
      return [`src/${from} belongs to no layer of docs/ARCHITECTURE.md: give it a rule`];
    }
    const addon = text.split('\n').findIndex((line) => LOADS_ADDON.test(line));
    const loads = addon !== -1 && from !== ADDON_FILE;
    return [
      ...importsOf(text).flatMap((found) => {
        const breach = checkImport(from, found, sources);
        return breach === undefined ? [] : [`${describe(from, found)}: ${breach}`];
      }),
      ...(loads ? [`src/${from}:${addon + 1} loads an addon: only ${ADDON_FILE} may`] : []),
    ];
  });
}

/** Cycles among the sources, type-only imports included, as `a.ts -> b.ts -> a.ts`. */
export function findImportCycles(sources: Sources): string[] {
  const edges = new Map<string, string[]>();
  for (const [from, text] of sources) {
    const relative = importsOf(text).filter(({ specifier }) => specifier.startsWith('.'));
    edges.set(
      from,
      relative.flatMap((found) => targetsOf(from, found, sources)),
    );
  }
  return findCycles(edges).map((cycle) => [...cycle, cycle[0]].join(' -> '));
}
