import type { Scenario } from './scenario.js';
import { JAVA as TUNE_JAVA } from './tune/java.js';
import { MIXED as TUNE_MIXED } from './tune/mixed.js';
import { NODE as TUNE_NODE, NODE_HAND_OFF as TUNE_NODE_HAND_OFF } from './tune/node.js';
import { PYTHON as TUNE_PYTHON } from './tune/python.js';

/**
 * `tune` is there to be looked at while the engine is worked on; `report` is only run for
 * docs/accuracy.md. They share programs, but no route, no number of callees, no delay, no seed.
 */
export const SETS: Readonly<Record<'tune' | 'report', readonly Scenario[]>> = {
  tune: [...TUNE_NODE, ...TUNE_NODE_HAND_OFF, ...TUNE_PYTHON, ...TUNE_JAVA, ...TUNE_MIXED],
  report: [],
};
