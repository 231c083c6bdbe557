import type { EvidenceItem } from '../../model/evidence.js';
import type { CauseTable } from './cause-table.js';
import { RULES, type Rule } from './claims.js';
import { ITEM_BYTES, NAMES_ANOTHER, OTHER_RULES } from './evidence-code.js';
import { OriginKind } from './origins.js';

function span(ns: number): string {
  if (ns >= 1e6) return `${(ns / 1e6).toPrecision(3)} ms`;
  return `${(ns / 1e3).toPrecision(3)} µs`;
}

const ACTS: Readonly<Record<number, string>> = {
  [OriginKind.send]: 'the call',
  [OriginKind.connect]: 'opening the connection',
  [OriginKind.lease]: 'taking the connection, or giving the task',
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
      | 'posted'
      | 'token'
      | 'same-goroutine'
    >,
    string
  >
> = {
  owner:
    'the calling thread read this request and wrote its response, with no other request in between',
  closing:
    'its reply was the last thing the thread received before it wrote this request’s response',
  'closing-by-post':
    'the thread that read its reply then posted a message, and the thread that took it wrote this request’s response before it turned to anything else',
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
  'same-function':
    'the async function that waits for it, or for those that do, had waited for another call before, which belongs to this request',
};

/** Where what differs from call to call goes: characters that no text has and JSON leaves alone. */
const GAP = '\ue000';
const WAKE_GAP = '\ue001';
const IDENTITY = '\ue002';
const TOKEN = '\ue003';
const HOLES = /[\ue000-\ue003]/;

/** Of goroutines, asyncio tasks and async functions of Node: where one does all, and where descendants do some. */
const OWNER_TEXTS = [
  'the goroutine that waits for this call read this request and answers it',
  'the goroutine that waits for this call was started, directly or not, by the one that answers this request',
  'the asyncio task that made this call answers this request',
  'the asyncio task that made this call was made, directly or not, by the one that answers this request or serves its connection',
  'the async function that waits for this call, or for those that do, wrote this request’s response',
] as const;

/** Of goroutines, and of async functions. */
const SAME_TEXTS = [
  'the goroutine that waits for it also waited for another call, which belongs to this request',
  'the async function that waits for it, or for those that do, also waited for another call, which belongs to this request',
] as const;

/** @param variant where the call was made (OriginKind); of goroutines an entry of OWNER_TEXTS or SAME_TEXTS */
function textOf(rule: Rule, variant: number): string {
  const act = ACTS[variant]!;
  const when = `${GAP} before ${act}`;
  switch (rule) {
    case 'identity':
      return `both carry ${IDENTITY}`;
    case 'goroutine':
      return OWNER_TEXTS[variant]!;
    case 'same-goroutine':
      return SAME_TEXTS[variant]!;
    case 'thread':
    case 'lease':
      return `reading this request was the last thing the thread received, ${when}`;
    case 'connect':
    case 'after-reply':
      return `the thread had last received this request, or the reply to another call of it, ${when}`;
    case 'token':
      return TOKEN;
    case 'queue':
      return `calls like it leave in the order of what leads to them, and in that order its cause is this request, or the reply to another call of it, ${when}`;
    case 'posted':
      return `a message that was posted by work for this request was the last thing the thread had taken up, ${when}`;
    case 'wake':
      return `the thread had been woken by one that was working for this request, ${WAKE_GAP} before ${act}`;
    default:
      return TEXTS[rule];
  }
}

/** What is said beside the rules of context. */
function otherText(rule: (typeof OTHER_RULES)[number], variant: number, weight: number): string {
  if (rule === 'only-candidate') return 'no other request was open when the call was sent';
  if (rule === 'background') {
    return `calls of this kind also occur while no request is open: ${variant} % that it belongs to none`;
  }
  return weight > 0
    ? 'of all ways to share out the calls among the requests then open, those with this link fit the delays that such requests are used to'
    : 'the ways to share out the calls that have this link fit the delays that such requests are used to less well';
}

/** The rule that says most for a candidate; 'none' where nothing does. */
function strongestRule(items: readonly EvidenceItem[]): string {
  let best: EvidenceItem | undefined;
  for (const item of items) {
    if (item.weight > 0 && (best === undefined || item.weight > best.weight)) best = item;
  }
  return best?.rule ?? 'none';
}

/** @param code items of evidence as evidence-code.ts writes them, a character per byte */
function decode(code: string): EvidenceItem[] {
  return Array.from({ length: code.length / ITEM_BYTES }, (_, i) => {
    const byte = (at: number) => code.charCodeAt(i * ITEM_BYTES + at);
    const variant = byte(1);
    const weight = (((byte(2) | (byte(3) << 8)) << 16) >> 16) / 100;
    const known = RULES[byte(0)];
    if (known === undefined) {
      const rule = OTHER_RULES[byte(0) - RULES.length]!;
      return { rule, weight, text: otherText(rule, variant, weight) };
    }
    const isOther = variant === NAMES_ANOTHER;
    const text = isOther ? 'this rule names another candidate' : textOf(known, variant);
    return { rule: known, weight, text };
  });
}

/** What all links with the same items of evidence have in common. */
interface Wording {
  readonly method: string;
  /** JSON of the items, and what goes between its pieces. */
  readonly pieces: readonly string[];
  readonly holes: string;
}

/** Puts the evidence of links into words. */
export class EvidenceTexts {
  private readonly known = new Map<string, Wording>();
  private readonly codes: Buffer;

  constructor(private readonly causes: CauseTable) {
    const { data } = causes.evidence;
    this.codes = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
  }

  /** The rule that says most for the candidate of a row. */
  method(row: number): string {
    return this.wording(row).method;
  }

  /** JSON of the row's EvidenceItems. */
  json(row: number): string {
    const { pieces, holes } = this.wording(row);
    let json = pieces[0]!;
    for (let i = 0; i < holes.length; i++) json += this.fill(holes[i]!, row) + pieces[i + 1]!;
    return json;
  }

  private fill(hole: string, row: number): string {
    const { gap, wake_gap, identity, token } = this.causes;
    if (hole === GAP) return span(gap[row]!);
    if (hole === WAKE_GAP) return span(wake_gap[row]!);
    return JSON.stringify(hole === TOKEN ? token[row] : identity[row]).slice(1, -1);
  }

  private wording(row: number): Wording {
    const { offsets } = this.causes.evidence;
    const code = this.codes.toString('latin1', offsets[row], offsets[row + 1]);
    let found = this.known.get(code);
    if (found === undefined) {
      const items = decode(code);
      const json = JSON.stringify(items);
      const holes = Array.from(json).filter((character) => HOLES.test(character));
      found = { method: strongestRule(items), pieces: json.split(HOLES), holes: holes.join('') };
      this.known.set(code, found);
    }
    return found;
  }
}
