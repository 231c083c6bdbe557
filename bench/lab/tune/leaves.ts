import type { Service } from '../scenario.js';

/** Services in Go that answer after a random time and call nobody: /get, and /list in twice that. */
export function leaves(names: readonly string[], least: number, most: number): Service[] {
  return names.map((name) => ({
    name,
    runtime: 'go',
    routes: {
      '/get': [{ waitMs: [least, most] }],
      '/list': [{ waitMs: [least * 2, most * 2] }],
      '/flaky': [{ waitMs: [least, most] }, { chance: 0.25, steps: [{ status: 503 }] }],
    },
  }));
}
