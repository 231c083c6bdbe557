import { BackwardKind, type BackwardLabels } from './backward-labels.js';
import type { Candidates } from './candidates.js';
import { CauseKind } from './cause-kind.js';
import type { GoroutineContext } from './goroutines.js';
import type { IdentityMatches } from './identity.js';
import { placeOfEarlier, type Relatives } from './relatives.js';
import { isAlone, type Reliability } from './reliability.js';
import type { SliceContext } from './slices.js';
import type { ThreadContext } from './thread-context.js';
import type { TokenMatches } from './tokens/tokens.js';
import type { TurnContext } from './turns/turns.js';

/** Rules that name the request of a call, as columns and tables write them. */
export const RULES = [
  'identity',
  'goroutine',
  'owner',
  'thread',
  'connect',
  'lease',
  'after-reply',
  'wake',
  'closing',
  'sibling',
  'successor',
  'return-wake',
  'worker',
  'hand-back',
  'dispatched',
  'slice',
  'reply-slice',
  'neighbour',
  'queue',
  'turn',
  'reply-turn',
  'same-goroutine',
  'token',
  'same-function',
  'posted',
  'closing-by-post',
] as const;
export type Rule = (typeof RULES)[number];

/** Numbers of the rules. */
export const RuleNumber = Object.fromEntries(RULES.map((rule, i) => [rule, i])) as Readonly<
  Record<Rule, number>
>;

/** Rules of one family fail together: of those that agree only the surest counts. */
export const Family = { proof: 0, forward: 1, backward: 2, content: 3 } as const;
const BACKWARD: ReadonlySet<Rule> = new Set([
  'closing',
  'closing-by-post',
  'sibling',
  'successor',
  'return-wake',
  'worker',
  'hand-back',
  'reply-slice',
  'same-goroutine',
  'reply-turn',
]);
const PROOFS: ReadonlySet<Rule> = new Set(['identity', 'goroutine', 'owner']);
/** Per rule number: Family. */
export const FAMILY = Uint8Array.from(RULES, (rule) => {
  if (PROOFS.has(rule)) return Family.proof;
  if (rule === 'token') return Family.content;
  return BACKWARD.has(rule) ? Family.backward : Family.forward;
});

const RULE_OF_LABEL: readonly number[] = [
  0,
  RuleNumber.closing,
  RuleNumber.sibling,
  RuleNumber.successor,
  RuleNumber['return-wake'],
  RuleNumber.worker,
  RuleNumber['hand-back'],
  RuleNumber.dispatched,
  RuleNumber['reply-slice'],
  RuleNumber.neighbour,
  RuleNumber['same-goroutine'],
  RuleNumber['closing-by-post'],
];
/** Labels of replies that came last before a response. */
const LAST_REPLY: ReadonlySet<number> = new Set([BackwardKind.closing, BackwardKind.closingByPost]);
const REPLY_TURN = RuleNumber['reply-turn'];
const AFTER_REPLY = RuleNumber['after-reply'];
const SAME_FUNCTION = RuleNumber['same-function'];
const RULE_OF_ORIGIN: readonly number[] = [RuleNumber.thread, RuleNumber.connect, RuleNumber.lease];

/** An identity that one open request carries outweighs all that threads may suggest. */
const IDENTITY = 1 - 1e-9;
export const MOST_CLAIMS = 15;

/**
 * How likely one that belongs to a request makes a call that belongs to none, 0..1: itself, and a descendant. A
 * goroutine or task may live longer than its request's work; who waits for an async root waits for the answer.
 */
const IF_BACKGROUND = {
  goroutine: [0.01, 0.05],
  task: [0.01, 0.05],
  'async-root': [1e-5, 1e-5],
} as const;
/** The same of a goroutine that is known to have been started during the request, or little later. */
const IF_DATED = 1e-3;

/** What speaks for the candidates of one call; reused from call to call. */
export class Claims {
  /** The call that they are about. */
  client = 0;
  /** How often a candidate drawn by lot would be right, 0..1. */
  private chance = 0;
  private candidates: Candidates | undefined;
  count = 0;
  readonly rule = new Uint8Array(MOST_CLAIMS);
  readonly server = new Int32Array(MOST_CLAIMS);
  /** Probability that the rule names the right server when it speaks, 0..1. */
  readonly trust = new Float64Array(MOST_CLAIMS);
  /** How likely the rule is to name this server if the call belonged to no request, 0..1. */
  readonly ifBackground = new Float64Array(MOST_CLAIMS);

  /** Forgets the call before. */
  begin(candidates: Candidates, client: number): void {
    const count = candidates.count[client]!;
    this.candidates = candidates;
    this.client = client;
    this.chance = count <= 1 ? 0 : 1 / count;
    this.count = 0;
  }

  /** Takes a claim if the server is a candidate and the rule better than chance. */
  offer(rule: number, server: number, trust: number, ifBackground: number): void {
    if (!(trust > this.chance) || !this.candidates!.has(this.client, server)) return;
    const at = this.count++;
    this.rule[at] = rule;
    this.server[at] = server;
    this.trust[at] = trust;
    this.ifBackground[at] = ifBackground;
  }
}

/** All that the rules of context know. */
export interface Knowledge {
  readonly candidates: Candidates;
  readonly context: ThreadContext;
  readonly goroutines: GoroutineContext;
  readonly slices: SliceContext;
  readonly relatives: Relatives;
  readonly turns: TurnContext;
  readonly reliability: Reliability;
  readonly backward: BackwardLabels;
  readonly identities: IdentityMatches;
  readonly tokens: TokenMatches;
}

/**
 * What the calls before are believed to belong to, for calls that follow their replies.
 * Filled in order of time.
 */
export interface Chain {
  readonly server: Int32Array;
  readonly trust: Float64Array;
  /** What all evidence says of them, responses included; -1 where none does. */
  readonly decided: Int32Array;
  readonly confidence: Float64Array;
}

/** What the cause of a call, a request or a reply, says of its parent. */
function claimForward(
  knowledge: Knowledge,
  chain: Chain,
  claims: Claims,
  kind: number,
  cause: number,
  request: number,
  reply: number,
  trust: number,
): void {
  if (kind === CauseKind.request || kind === CauseKind.response) {
    claims.offer(request, cause, trust, 1);
  } else if (kind === CauseKind.reply) {
    const { client } = claims;
    const { backward } = knowledge;
    // What the chain of replies leads to, or what responses say of the call before, unless this call told it so.
    const isEcho = backward.from[cause] === client;
    const isBackward = !isEcho && backward.reliability[cause]! > chain.trust[cause]!;
    const server = isBackward ? backward.server[cause]! : chain.server[cause]!;
    const earlier = isBackward ? backward.reliability[cause]! : chain.trust[cause]!;
    if (server >= 0) claims.offer(reply, server, trust * earlier, 1);
  }
}

/** From this trust on, what the same async function did before names a request that was answered long ago, too. */
const LEAST_ADMITTED = 0.8;
/** An async function that worked for a request does no timer's work. */
const LEAST_IF_BACKGROUND = 1e-3;

/** What is believed of the call that the same async function waited for before. */
function claimSameFunction(
  { relatives, reliability, candidates }: Knowledge,
  chain: Chain,
  claims: Claims,
): void {
  const place = placeOfEarlier(claims.client);
  const earlier = relatives.of[place]!;
  if (earlier < 0 || chain.decided[earlier]! < 0) return;
  const server = chain.decided[earlier]!;
  const trust = reliability.relatives[relatives.classes[place]!]! * chain.confidence[earlier]!;
  if (trust >= LEAST_ADMITTED) candidates.admit(claims.client, server);
  claims.offer(SAME_FUNCTION, server, trust, Math.max(LEAST_IF_BACKGROUND, 1 - trust));
}

/**
 * Collects what speaks for the candidates of one call. Rules that name a server which
 * is no candidate, or that are no better than chance in this process, stay silent.
 */
export function gatherClaims(
  knowledge: Knowledge,
  chain: Chain,
  client: number,
  claims: Claims,
): void {
  const { candidates, context, goroutines, slices, turns, reliability, backward, identities } =
    knowledge;
  claims.begin(candidates, client);
  for (const server of identities.of(client)) {
    claims.offer(RuleNumber.identity, server, IDENTITY, 1e-4);
  }
  const { tokens } = knowledge;
  for (let at = tokens.offsets[client]!; at < tokens.offsets[client + 1]!; at++) {
    claims.offer(RuleNumber.token, tokens.server[at]!, tokens.trust[at]!, tokens.ifBackground[at]!);
  }
  if (goroutines.server[client]! >= 0) {
    const server = goroutines.server[client]!;
    // On a descendant, an earlier request's work may go on, unless it is known when it was started.
    const isChild = goroutines.steps[client] === 0 || goroutines.isDated[client] === 1 ? 0 : 1;
    const ifBackground =
      goroutines.isDated[client] === 1 ? IF_DATED : IF_BACKGROUND[goroutines.unit][isChild]!;
    const trust = reliability.goroutine[isChild]!;
    claims.offer(RuleNumber.goroutine, server, trust, ifBackground);
    // A loop's thread works for others in between: what it does says less than who waits for the call.
    if (goroutines.unit === 'async-root') return;
  } else if (goroutines.unit === 'async-root') claimSameFunction(knowledge, chain, claims);
  if (slices.forward[client]! >= 0) {
    claims.offer(RuleNumber.slice, slices.forward[client]!, reliability.slice[client]!, 1);
  }
  claims.offer(RuleNumber.turn, turns.forward[client]!, turns.forwardTrust[client]!, 1);
  claims.offer(REPLY_TURN, turns.backward[client]!, turns.backwardTrust[client]!, 1);
  if (context.owner[client]! >= 0 && reliability.owner > 0) {
    // Threads that take one request at a time do no timers' work in between.
    const ifBackground = isAlone(context) ? 0.02 : 1;
    claims.offer(RuleNumber.owner, context.owner[client]!, reliability.owner, ifBackground);
  }
  const isQueued = context.queued[client] === 1;
  const isPosted = !isQueued && context.message[client]! >= 0;
  const byOrigin = isPosted ? RuleNumber.posted : RULE_OF_ORIGIN[context.origin[client]!]!;
  const own = isQueued ? RuleNumber.queue : byOrigin;
  const reply = isQueued || isPosted || own === RuleNumber.connect ? own : AFTER_REPLY;
  const kind = context.causeKind[client]!;
  const trust = reliability.forward[client]!;
  if (slices.isKnown[client] === 0) {
    claimForward(knowledge, chain, claims, kind, context.cause[client]!, own, reply, trust);
  }
  const lent = context.wakeKind[client]!;
  if (lent !== CauseKind.none) {
    const { wake } = RuleNumber;
    const cause = context.wakeCause[client]!;
    claimForward(knowledge, chain, claims, lent, cause, wake, wake, reliability.wake[client]!);
  }
  const label = backward.kind[client]!;
  if (label !== BackwardKind.none) {
    // Anybody's call may have a neighbour; few replies are the last before a response.
    const ifBackground = LAST_REPLY.has(label) ? 0.1 : 1;
    const server = backward.server[client]!;
    claims.offer(RULE_OF_LABEL[label]!, server, backward.reliability[client]!, ifBackground);
  }
}

/** The belief that later calls build on: the surest claim that does not come from responses. */
export function extendChain(chain: Chain, client: number, claims: Claims): void {
  for (let at = 0; at < claims.count; at++) {
    if (FAMILY[claims.rule[at]!] === Family.backward) continue;
    if (claims.trust[at]! <= chain.trust[client]!) continue;
    chain.trust[client] = claims.trust[at]!;
    chain.server[client] = claims.server[at]!;
  }
}
