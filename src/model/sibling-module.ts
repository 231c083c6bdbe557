import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

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
  return { filename: source, execArgv: ['--import', 'tsx'] };
}
