import type { TableOf } from '../../model/columns.js';

/** parent_row of a row that stands for "no candidate". */
export const NO_ROW = 0xffffffff;

/**
 * What the causality task found, one row per considered parent (at least one per call),
 * sorted by client row, then rank. Rows are numbered as in the group's exchange files
 * laid one after another in the order of the task's input.
 */
export const CAUSE_COLUMNS = {
  client_row: { type: 'uint32', doc: 'Row of the call.' },
  parent_row: { type: 'uint32', doc: 'Row of the candidate; NO_ROW where there is none.' },
  rank: { type: 'uint16', doc: '0 is the most probable.' },
  verdict: { type: 'utf8', doc: 'Verdict on the call (the same on all its rows).' },
  confidence: { type: 'float64', doc: 'Probability of this candidate, 0..1.' },
  candidates: { type: 'uint16', doc: 'How many candidates the call had.' },
  method: { type: 'utf8', doc: 'The strongest evidence for this candidate.' },
  evidence: { type: 'utf8', doc: 'JSON array of {rule, weight, text}.' },
} as const;
export type CauseTable = TableOf<typeof CAUSE_COLUMNS>;
