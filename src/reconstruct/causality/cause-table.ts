import type { TableOf } from '../../model/columns.js';

/** parent_row of a row that stands for "no candidate". */
export const NO_ROW = 0xffffffff;

/**
 * What the causality task found, one row per considered parent (at least one per call); the
 * rows of a call follow each other by rank. Rows are numbered as in the group's exchange files
 * laid one after another in the order of the task's input. What is said of a candidate is
 * kept as numbers, and becomes words (explain.ts) when links are assembled.
 */
export const CAUSE_COLUMNS = {
  client_row: { type: 'uint32', doc: 'Row of the call.' },
  parent_row: { type: 'uint32', doc: 'Row of the candidate; NO_ROW where there is none.' },
  rank: { type: 'uint16', doc: '0 is the most probable.' },
  verdict: { type: 'uint8', doc: 'VerdictCode of the call (the same on all its rows).' },
  confidence: { type: 'float64', doc: 'Probability of this candidate, 0..1.' },
  candidates: { type: 'uint16', doc: 'How many candidates the call had.' },
  evidence: {
    type: 'binary',
    doc: 'What speaks for and against this candidate: items of four bytes (evidence-code.ts).',
  },
  gap: {
    type: 'float64',
    doc: 'ns from what the call’s actor had last done to the call (the same on all its rows).',
  },
  wake_gap: {
    type: 'float64',
    doc: 'ns from the wake-up of the call’s actor to the call, likewise.',
  },
  identity: { type: 'utf8', doc: 'The id in band that both carry; empty where none decides.' },
  token: {
    type: 'utf8',
    doc: 'What is said of a value that both carry; empty where none testifies.',
  },
} as const;
export type CauseTable = TableOf<typeof CAUSE_COLUMNS>;
