import type { EvidenceItem } from '../../model/evidence.js';
import { Claims, gatherClaims, RULES, type Rule } from './claims.js';
import { CANDIDATES_KEPT } from './decide.js';
import type { ProcessCauses } from './infer.js';
import { OriginKind } from './origins.js';

/** Weights are printed to a hundredth of a nat: more would pretend. */
function round(value: number): number {
  return Math.round(value * 100) / 100;
}

function span(ns: number): string {
  if (ns >= 1e6) return `${(ns / 1e6).toPrecision(3)} ms`;
  return `${(ns / 1e3).toPrecision(3)} µs`;
}

const ACTS: Readonly<Record<number, string>> = {
  [OriginKind.send]: 'the call',
  [OriginKind.connect]: 'opening the connection',
  [OriginKind.lease]: 'taking the connection',
};

/** What was observed, in plain words, for rules whose words depend on nothing. */
const TEXTS: Readonly<
  Record<
    Exclude<
      Rule,
      | 'identity'
      | 'goroutine'
      | 'thread'
      | 'connect'
      | 'lease'
      | 'after-reply'
      | 'wake'
      | 'queue'
      | 'token'
    >,
    string
  >
> = {
  owner:
    'the calling thread read this request and wrote its response, with no other request in between',
  closing:
    'its reply was the last thing the thread received before it wrote this request’s response',
  sibling: 'it was made together with a call whose reply led to this request’s response',
  successor: 'its reply led to the next call, whose reply led to this request’s response',
  'return-wake':
    'the thread that read its reply then woke the thread that wrote this request’s response',
  worker: 'the next response that the calling thread wrote was this request’s',
  'hand-back':
    'the calling thread next woke the thread that had read this request and was to answer it',
  dispatched:
    'the thread that had woken the calling thread for it next answered this request, or handed its result back',
  slice:
    'this request was read and the call sent in one time slice of the Go scheduler, so one led to the other',
  'reply-slice':
    'its reply was read and this request’s response written in one time slice of the Go scheduler',
  turn: 'the event loop made the call as many turns after this request, or the reply to another call of it, as it is used to, in the same order as it read them',
  'reply-turn':
    'the event loop wrote this request’s response, or made its next call, as many turns after the reply to this call as it is used to, in the same order as it read them',
  neighbour:
    'the goroutine that waits for it was started right before or after another that works for this request',
  'same-goroutine':
    'the goroutine that waits for it also waited for another call, which belongs to this request',
};

function textOf(causes: ProcessCauses, client: number, rule: Rule): string {
  const { context, goroutines, identities } = causes.knowledge;
  const act = ACTS[context.origin[client]!]!;
  const when = `${span(context.gap[client]!)} before ${act}`;
  switch (rule) {
    case 'identity':
      return `both carry ${identities.by(client)}`;
    case 'goroutine':
      return goroutines.steps[client] === 0
        ? 'the goroutine that waits for this call read this request and answers it'
        : 'the goroutine that waits for this call was started, directly or not, by the one that answers this request';
    case 'thread':
    case 'lease':
      return `reading this request was the last thing the thread received, ${when}`;
    case 'connect':
    case 'after-reply':
      return `the thread had last received this request, or the reply to another call of it, ${when}`;
    case 'token':
      return causes.knowledge.tokens.textOf(client);
    case 'queue':
      return `calls like it leave in the order of what leads to them, and in that order its cause is this request, or the reply to another call of it, ${when}`;
    case 'wake':
      return `the thread had been woken by one that was working for this request, ${span(context.wakeGap[client]!)} before ${act}`;
    default:
      return TEXTS[rule];
  }
}

/** What speaks for and against the candidates of one call. */
export class Explainer {
  private readonly claims = new Claims();

  constructor(private readonly causes: ProcessCauses) {}

  /** Collects the claims of a call; the other methods speak of it then. */
  load(client: number): void {
    gatherClaims(this.causes.knowledge, this.causes.chain, client, this.claims);
  }

  /** What speaks for (weight > 0) and against (weight < 0) the candidate in one place. */
  items(client: number, place: number): EvidenceItem[] {
    const { claims, causes } = this;
    const { decisions, knowledge } = causes;
    const at = client * CANDIDATES_KEPT + place;
    const server = decisions.server[at]!;
    const count = knowledge.candidates.count[client]!;
    const rivals = Math.max(1, count - 1);
    const items: EvidenceItem[] = [];
    for (let i = 0; i < claims.count; i++) {
      const rule = RULES[claims.rule[i]!]!;
      const odds = round(Math.log((claims.trust[i]! * rivals) / (1 - claims.trust[i]!)));
      if (claims.server[i] === server) {
        items.push({ rule, weight: odds, text: textOf(causes, client, rule) });
      } else items.push({ rule, weight: -odds, text: 'this rule names another candidate' });
    }
    const timing = decisions.timing[at]!;
    if (Math.abs(timing) >= 0.01) {
      const text =
        timing > 0
          ? 'of all ways to share out the calls among the requests then open, those with this link fit the delays that such requests are used to'
          : 'the ways to share out the calls that have this link fit the delays that such requests are used to less well';
      items.push({ rule: 'timing', weight: round(timing), text });
    }
    this.addBackground(items, client, count);
    return items;
  }

  private addBackground(items: EvidenceItem[], client: number, count: number): void {
    const background = this.causes.decisions.background[client]!;
    if (count === 1) {
      const text = 'no other request was open when the call was sent';
      const weight = round(Math.log((1 - background) / Math.max(1e-4, background)));
      items.push({ rule: 'only-candidate', weight, text });
    }
    if (background >= 0.01) {
      const percent = Math.round(background * 100);
      const text = `calls of this kind also occur while no request is open: ${percent} % that it belongs to none`;
      const weight = round(Math.log(1 - Math.min(0.9999, background)));
      items.push({ rule: 'background', weight, text });
    }
  }
}

/** The rule that says most for a candidate; 'none' where nothing does. */
export function strongestRule(items: readonly EvidenceItem[]): string {
  let best: EvidenceItem | undefined;
  for (const item of items) {
    if (item.weight > 0 && (best === undefined || item.weight > best.weight)) best = item;
  }
  return best?.rule ?? 'none';
}
