/** Right and wrong links, whole traces and calibration. */
import type { Truth } from './truth.js';

/** What was found of one call. */
export interface FoundLink {
  readonly trace: string;
  readonly span: string;
  /** Service that made the call. */
  readonly caller: string;
  /** `trace span` of the request that is most probably its cause; '' if none could be. */
  readonly best: string;
  /** Probability of that one, 0..1. */
  readonly confidence: number;
  readonly isLinked: boolean;
}

export interface Score {
  readonly calls: number;
  readonly right: number;
  readonly wrong: number;
  readonly unknown: number;
  /** Calls of no request in the file that were linked to none, and how many there are. */
  readonly rootsRight: number;
  readonly roots: number;
  /** Traces with every link right; of the first, calls of services with several callers aside. */
  readonly wholeSimple: number;
  readonly whole: number;
  readonly traces: number;
  /** Expected calibration error over ten bins, 0..1. */
  readonly calibration: number;
  /** Per bin of tenths: links, sum of confidence, right ones. */
  readonly bins: readonly (readonly [number, number, number])[];
}

export function scoreLinks(links: Iterable<FoundLink>, truth: Truth): Score {
  const counts = { calls: 0, right: 0, wrong: 0, unknown: 0, rootsRight: 0, roots: 0 };
  const brokenSimple = new Set<string>();
  const broken = new Set<string>();
  const bins = Array.from({ length: 10 }, (): [number, number, number] => [0, 0, 0]);
  const seen = new Set<string>();
  for (const link of links) {
    const key = `${link.trace} ${link.span}`;
    const wanted = truth.requestOf.get(key);
    if (wanted === undefined) continue;
    seen.add(key);
    const isTrue = wanted !== '' && link.best === `${link.trace} ${wanted}`;
    if (link.best !== '') {
      const bin = bins[Math.min(9, Math.floor(link.confidence * 10))]!;
      bin[0]++;
      bin[1] += link.confidence;
      if (isTrue) bin[2]++;
    }
    if (wanted === '') {
      counts.roots++;
      if (link.isLinked) counts.wrong++;
      else counts.rootsRight++;
      continue;
    }
    counts.calls++;
    const isRight = link.isLinked && isTrue;
    counts[isRight ? 'right' : link.isLinked ? 'wrong' : 'unknown']++;
    if (isRight) continue;
    broken.add(link.trace);
    if ((truth.callers.get(link.caller)?.size ?? 0) < 2) brokenSimple.add(link.trace);
  }
  const missing = truth.requestOf.size - seen.size;
  if (missing > 0) console.error(`${missing} calls of the file were not found again`);
  const binned = bins.reduce((sum, [n]) => sum + n, 0);
  return {
    ...counts,
    traces: truth.traces,
    wholeSimple: truth.traces - brokenSimple.size,
    whole: truth.traces - broken.size,
    calibration:
      bins.reduce((sum, [, claimed, right]) => sum + Math.abs(claimed - right), 0) /
      Math.max(1, binned),
    bins,
  };
}
