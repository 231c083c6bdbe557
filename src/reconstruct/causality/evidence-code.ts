import { Claims, gatherClaims, RULES, RuleNumber } from './claims.js';
import { CANDIDATES_KEPT } from './decide.js';
import type { ProcessCauses } from './infer.js';

/** What else speaks for or against a candidate, numbered behind the rules. */
export const OTHER_RULES = ['timing', 'only-candidate', 'background'] as const;
const TIMING = RULES.length;
const ONLY_CANDIDATE = TIMING + 1;
const BACKGROUND = TIMING + 2;

/**
 * An item of evidence is four bytes: the rule's number, a variant, and the weight in hundredths of
 * a nat (int16, little-endian). Millions of links have few thousand sequences of them, so that
 * words and JSON are made once for each.
 */
export const ITEM_BYTES = 4;
/** Variant: the rule names another candidate. */
export const NAMES_ANOTHER = 0xff;
const MOST_WEIGHT = 0x7fff;
/** What timing adds is told from here on, nats. */
const LEAST_TIMING = 0.01;
/** What is likelier than this to belong to no request has that told. */
const LEAST_BACKGROUND = 0.01;

/** Weights are told to a hundredth of a nat: more would pretend. */
function hundredths(nats: number): number {
  return Math.max(-MOST_WEIGHT, Math.min(MOST_WEIGHT, Math.round(nats * 100)));
}

/** Grows as needed. */
class Bytes {
  data = new Uint8Array(1 << 16);
  length = 0;

  item(rule: number, variant: number, weight: number): void {
    if (this.length + ITEM_BYTES > this.data.length) {
      const larger = new Uint8Array(2 * this.data.length);
      larger.set(this.data);
      this.data = larger;
    }
    const { data } = this;
    data[this.length++] = rule;
    data[this.length++] = variant;
    data[this.length++] = weight & 0xff;
    data[this.length++] = (weight >> 8) & 0xff;
  }
}

/** Writes down what speaks for and against the candidates of one call after another. */
export class EvidenceWriter {
  private readonly bytes = new Bytes();
  private readonly claims = new Claims();
  /** Per claim: its log odds, hundredths of a nat. */
  private readonly odds = new Int16Array(this.claims.rule.length);

  /** How many bytes were written. */
  get length(): number {
    return this.bytes.length;
  }

  /** What was written; the next item may change it after {@link clear}. */
  get data(): Uint8Array {
    return this.bytes.data.subarray(0, this.bytes.length);
  }

  clear(): void {
    this.bytes.length = 0;
  }

  /** Collects the claims of a call; {@link write} speaks of it then. */
  load({ knowledge, chain }: ProcessCauses, client: number): void {
    const { claims, odds } = this;
    gatherClaims(knowledge, chain, client, claims);
    const rivals = Math.max(1, knowledge.candidates.count[client]! - 1);
    for (let i = 0; i < claims.count; i++) {
      const trust = claims.trust[i]!;
      odds[i] = hundredths(Math.log((trust * rivals) / (1 - trust)));
    }
  }

  /** What speaks for (weight > 0) and against (weight < 0) the candidate in one place. */
  write(causes: ProcessCauses, client: number, place: number): void {
    const { claims, odds, bytes } = this;
    const { decisions, knowledge } = causes;
    const at = client * CANDIDATES_KEPT + place;
    const server = decisions.server[at]!;
    for (let i = 0; i < claims.count; i++) {
      const rule = claims.rule[i]!;
      if (claims.server[i] !== server) bytes.item(rule, NAMES_ANOTHER, -odds[i]!);
      else bytes.item(rule, variantOf(causes, client, rule), odds[i]!);
    }
    const timing = decisions.timing[at]!;
    if (Math.abs(timing) >= LEAST_TIMING) bytes.item(TIMING, 0, hundredths(timing));
    const background = decisions.background[client]!;
    if (knowledge.candidates.count[client] === 1) {
      const weight = Math.log((1 - background) / Math.max(1e-4, background));
      bytes.item(ONLY_CANDIDATE, 0, hundredths(weight));
    }
    if (background >= LEAST_BACKGROUND) {
      const weight = hundredths(Math.log(1 - Math.min(0.9999, background)));
      bytes.item(BACKGROUND, Math.round(background * 100), weight);
    }
  }
}

/** Where the words for a unit begin, in the list of explain.ts. */
const FIRST_VARIANT = { goroutine: 0, task: 2, 'async-root': 4 } as const;

/** What the words for a rule depend on: where the call was made, or who handles the request. */
function variantOf({ knowledge }: ProcessCauses, client: number, rule: number): number {
  if (rule === RuleNumber.goroutine) {
    const { unit, steps } = knowledge.goroutines;
    return FIRST_VARIANT[unit] + (steps[client] === 0 ? 0 : 1);
  }
  if (rule === RuleNumber['same-goroutine']) {
    return knowledge.goroutines.unit === 'async-root' ? 1 : 0;
  }
  return knowledge.context.origin[client]!;
}
