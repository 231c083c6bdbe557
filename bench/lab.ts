/**
 * The laboratory: real programs on loopback, recorded live, reconstructed, and scored against the
 * truth that they log themselves.
 *
 *   npm run lab -- [--set tune|report] [--scenario NAME ...] [--concurrency 1,8,32,128,saturation]
 *                  [--keep DIR] [--in DIR] [--record-only] [--list]
 *
 * Needs root, eBPF and the runtimes that it starts: `node scripts/setup.mjs --for lab`.
 */
import { provenance, summarize } from './lab/document.js';
import { optionsOrExit } from './lab/options.js';
import { type Result, runLab } from './lab/run.js';
import { scenarioTable } from './lab/tables.js';

// Ending tells the services to end: Node does not by itself on a signal.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130));
const options = optionsOrExit('tune');
if (options.list) {
  for (const { name, what } of options.scenarios) console.log(`${name.padEnd(20)} ${what}`);
  process.exit(0);
}
const results: Result[] = [];
for await (const result of runLab({ ...options, onNote: (text) => console.error(text) })) {
  results.push(result);
  console.error(scenarioTable([result]).split('\n').at(-1));
}
if (!options.recordOnly) console.log(`${provenance()}\n\n${summarize(results)}`);
