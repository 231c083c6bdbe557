/** One observation about a candidate parent: an element of the `evidence` column of links.parquet. */
export interface EvidenceItem {
  /** Name of the rule that made the observation. */
  readonly rule: string;
  /** Log odds it adds, in nats: above 0 speaks for the candidate, below 0 against it. */
  readonly weight: number;
  /** The observation in plain words. */
  readonly text: string;
}

/** Reads the `evidence` column; anything that is not of its form counts as no evidence. */
export function parseEvidence(json: string): EvidenceItem[] {
  try {
    const value: unknown = JSON.parse(json);
    if (!Array.isArray(value)) return [];
    return value.filter(
      (item): item is EvidenceItem =>
        typeof item?.rule === 'string' &&
        typeof item.weight === 'number' &&
        typeof item.text === 'string',
    );
  } catch {
    return [];
  }
}
