import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath, pathToFileURL } from 'node:url';

/** How to start a worker from a module that lies beside its user. */
export interface SiblingModule {
  /** Absolute path of the module file. */
  readonly filename: string;
  /** Node flags the thread needs (a TypeScript loader when run from sources). */
  readonly execArgv: readonly string[];
}

/**
 * Finds `name` beside the calling module: `name.js` in a build, `name.ts` when the
 * sources run directly (tests), in which case the thread needs tsx to load it.
 *
 * @param importMetaUrl the caller's import.meta.url
 */
export function siblingModule(importMetaUrl: string, name: string): SiblingModule {
  const built = fileURLToPath(new URL(`./${name}.js`, importMetaUrl));
  if (existsSync(built)) return { filename: built, execArgv: [] };
  const source = fileURLToPath(new URL(`./${name}.ts`, importMetaUrl));
  return { filename: source, execArgv: ['--import', typeScriptLoader(importMetaUrl)] };
}

/**
 * A module that loads tsx in a thread. `--import tsx` would do nothing in a thread of a
 * process that runs under tsx itself, so it is registered by hand.
 */
function typeScriptLoader(importMetaUrl: string): string {
  const manifest = pathToFileURL(createRequire(importMetaUrl).resolve('tsx/package.json'));
  const api = new URL('./dist/esm/api/index.mjs', manifest).href;
  return `data:text/javascript,import{register}from${encodeURIComponent(JSON.stringify(api))};register()`;
}
