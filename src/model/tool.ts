import { readFileSync } from 'node:fs';

function readVersion(): string {
  // package.json lies two levels up, from src/model as from dist/model.
  const manifest = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  return (JSON.parse(manifest) as { version: string }).version;
}

/** Version of this package. */
export const VERSION = readVersion();
/** Name and version, as written into files. */
export const TOOL = `aftertrace ${VERSION}`;
