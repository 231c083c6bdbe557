/**
 * How right the reconstruction is, on live traffic and ground truth that it cannot see: the
 * laboratory's reporting scenarios, written to docs/accuracy.md.
 *
 *   npm run bench:accuracy -- [--scenario NAME ...] [--concurrency 1,8,32,128,saturation]
 *                             [--keep DIR] [--in DIR]
 *
 * About twenty minutes on two quiet processors. A part of the scenarios is printed, and not written.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { documentOf } from './lab/document.js';
import { optionsOrExit } from './lab/options.js';
import { type Result, runLab } from './lab/run.js';
import { LOADS } from './lab/scenario.js';
import { SETS } from './lab/sets.js';
import { scenarioTable } from './lab/tables.js';

const DOCUMENT = join(import.meta.dirname, '../docs/accuracy.md');

// Ending tells the services to end: Node does not by itself on a signal.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130));
const options = optionsOrExit('report');
const results: Result[] = [];
for await (const result of runLab({ ...options, onNote: (text) => console.error(text) })) {
  results.push(result);
  console.error(scenarioTable([result]).split('\n').at(-1));
}
const text = documentOf(results);
if (results.length === SETS.report.length * LOADS.length) {
  writeFileSync(DOCUMENT, text);
  console.error(`wrote ${DOCUMENT}`);
} else {
  console.log(text);
  console.error('Only a part of the scenarios ran: docs/accuracy.md was left as it is.');
}
