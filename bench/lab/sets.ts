import { JAVA as REPORT_JAVA } from './report/java.js';
import { MIXED as REPORT_MIXED } from './report/mixed.js';
import { NODE as REPORT_NODE, NODE_HAND_OFF as REPORT_NODE_HAND_OFF } from './report/node.js';
import { PYTHON as REPORT_PYTHON } from './report/python.js';
import type { Scenario } from './scenario.js';
import { JAVA as TUNE_JAVA } from './tune/java.js';
import { MIXED as TUNE_MIXED } from './tune/mixed.js';
import { NODE as TUNE_NODE, NODE_HAND_OFF as TUNE_NODE_HAND_OFF } from './tune/node.js';
import { PYTHON as TUNE_PYTHON } from './tune/python.js';

/**
 * `tune` is there to be looked at while the engine is worked on; `report` is only run for
 * docs/accuracy.md. They share programs, but no route, no number of callees, no delay, no seed.
 */
export const SETS = {
  tune: [...TUNE_NODE, ...TUNE_NODE_HAND_OFF, ...TUNE_PYTHON, ...TUNE_JAVA, ...TUNE_MIXED],
  report: [
    ...REPORT_NODE,
    ...REPORT_NODE_HAND_OFF,
    ...REPORT_PYTHON,
    ...REPORT_JAVA,
    ...REPORT_MIXED,
  ],
} as const satisfies Readonly<Record<string, readonly Scenario[]>>;
export type SetName = keyof typeof SETS;
