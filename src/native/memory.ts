import { loadAddon } from './addon.js';

/** Gives back memory that this process holds and does not need now: see native/memory.h. */
export function releaseMemory(): void {
  (loadAddon() as { releaseMemory(): void }).releaseMemory();
}
