import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { CodedError } from '../model/errors.js';

/** The package root is two levels up from both src/native and dist/native. */
const ADDON = fileURLToPath(
  new URL(`../../prebuilds/${process.platform}-${process.arch}/aftertrace.node`, import.meta.url),
);

/**
 * The addon: what `native/addon.cc` exports. Loaded at the first call, so that programs that only
 * read need none.
 *
 * @throws CodedError UNSUPPORTED where it is not built or cannot be loaded
 */
export function loadAddon(): unknown {
  if (process.platform !== 'linux') {
    throw new CodedError(
      'UNSUPPORTED',
      `recording needs Linux, this is ${process.platform}.`,
      '',
      'Record on the servers; reconstruct and report work here.',
    );
  }
  if (!existsSync(ADDON)) {
    throw new CodedError(
      'UNSUPPORTED',
      'the capture addon is not built for this machine.',
      ADDON,
      'Run `npm run build:native`.',
    );
  }
  try {
    return createRequire(import.meta.url)(ADDON);
  } catch (error) {
    throw new CodedError(
      'UNSUPPORTED',
      `the capture addon cannot be loaded: ${(error as Error).message}.`,
      ADDON,
      'Run `npm run build:native` on this machine.',
      error,
    );
  }
}
