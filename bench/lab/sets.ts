import type { Scenario } from './scenario.js';
import { NODE as TUNE_NODE } from './tune/node.js';
import { PYTHON as TUNE_PYTHON } from './tune/python.js';

/**
 * `tune` is there to be looked at while the engine is worked on; `report` is only run for
 * docs/accuracy.md. They share programs, but no route, no number of callees, no delay, no seed.
 */
export const SETS: Readonly<Record<'tune' | 'report', readonly Scenario[]>> = {
  tune: [...TUNE_NODE, ...TUNE_PYTHON],
  report: [],
};
