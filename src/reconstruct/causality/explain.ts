import type { EvidenceItem } from '../../model/evidence.js';
import type { Candidate, Decision } from './decide.js';

/** Weights are printed to a hundredth of a nat: more would pretend. */
function round(value: number): number {
  return Math.round(value * 100) / 100;
}

/** What speaks for (weight > 0) and against (weight < 0) one candidate of a decided call. */
export function explainCandidate(decision: Decision, candidate: Candidate): EvidenceItem[] {
  const { count } = decision;
  const rivals = Math.max(1, count - 1);
  const items: EvidenceItem[] = decision.evidence.map((item) => {
    const odds = round(Math.log((item.reliability * rivals) / (1 - item.reliability)));
    return item.server === candidate.server
      ? { rule: item.rule, weight: odds, text: item.text }
      : { rule: item.rule, weight: -odds, text: 'this rule names another candidate' };
  });
  if (Math.abs(candidate.timing) >= 0.01) {
    const text =
      candidate.timing > 0
        ? 'of all ways to share out the calls among the requests then open, those with this link fit the delays that such requests are used to'
        : 'the ways to share out the calls that have this link fit the delays that such requests are used to less well';
    items.push({ rule: 'timing', weight: round(candidate.timing), text });
  }
  if (count === 1) {
    const text = 'no other request was open when the call was sent';
    const weight = round(Math.log((1 - decision.background) / Math.max(1e-4, decision.background)));
    items.push({ rule: 'only-candidate', weight, text });
  }
  if (decision.background >= 0.01) {
    const percent = Math.round(decision.background * 100);
    const text = `calls of this kind also occur while no request is open: ${percent} % that it belongs to none`;
    items.push({
      rule: 'background',
      weight: round(Math.log(1 - Math.min(0.9999, decision.background))),
      text,
    });
  }
  return items;
}

/** The rule that says most for a candidate; 'none' where nothing does. */
export function strongestRule(items: readonly EvidenceItem[]): string {
  let best: EvidenceItem | undefined;
  for (const item of items) {
    if (item.weight > 0 && (best === undefined || item.weight > best.weight)) best = item;
  }
  return best?.rule ?? 'none';
}
