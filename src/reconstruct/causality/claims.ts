import { BackwardKind, type BackwardLabels } from './backward-labels.js';
import type { Candidates } from './candidates.js';
import { CauseKind } from './cause-kind.js';
import type { GoroutineContext } from './goroutines.js';
import type { IdentityMatches } from './identity.js';
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
];
const RULE_OF_ORIGIN: readonly number[] = [RuleNumber.thread, RuleNumber.connect, RuleNumber.lease];

/** An identity that one open request carries outweighs all that threads may suggest. */
const IDENTITY = 1 - 1e-9;
export const MOST_CLAIMS = 15;

/** What speaks for the candidates of one call; reused from call to call. */
export class Claims {
  count = 0;
  readonly rule = new Uint8Array(MOST_CLAIMS);
  readonly server = new Int32Array(MOST_CLAIMS);
  /** Probability that the rule names the right server when it speaks, 0..1. */
  readonly trust = new Float64Array(MOST_CLAIMS);
  /** How likely the rule is to name this server if the call belonged to no request, 0..1. */
  readonly ifBackground = new Float64Array(MOST_CLAIMS);

  add(rule: number, server: number, trust: number, ifBackground: number): void {
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
}

/** The request that the chain of replies leads to, with what responses say of the call before, unless this call told it so. */
function followReply(
  { backward }: Knowledge,
  chain: Chain,
  cause: number,
  client: number,
): { server: number; trust: number } {
  const isEcho = backward.from[cause] === client;
  if (!isEcho && backward.reliability[cause]! > chain.trust[cause]!) {
    return { server: backward.server[cause]!, trust: backward.reliability[cause]! };
  }
  return { server: chain.server[cause]!, trust: chain.trust[cause]! };
}

/** The rules by which the cause of a call, a request or a reply, names its request. */
function ownRules(context: ThreadContext, client: number): { request: number; reply: number } {
  if (context.queued[client] === 1) return { request: RuleNumber.queue, reply: RuleNumber.queue };
  const rule = RULE_OF_ORIGIN[context.origin[client]!]!;
  const isConnect = rule === RuleNumber.connect;
  return { request: rule, reply: isConnect ? rule : RuleNumber['after-reply'] };
}

function claimForward(
  knowledge: Knowledge,
  chain: Chain,
  client: number,
  kind: number,
  cause: number,
  rules: { request: number; reply: number },
  trust: number,
  add: (rule: number, server: number, trust: number, ifBackground: number) => void,
): void {
  if (kind === CauseKind.request || kind === CauseKind.response) {
    add(rules.request, cause, trust, 1);
  } else if (kind === CauseKind.reply) {
    const earlier = followReply(knowledge, chain, cause, client);
    if (earlier.server >= 0) add(rules.reply, earlier.server, trust * earlier.trust, 1);
  }
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
  const { tokens } = knowledge;
  const count = candidates.count[client]!;
  const chance = count <= 1 ? 0 : 1 / count;
  claims.count = 0;
  const add = (rule: number, server: number, trust: number, ifBackground: number) => {
    if (trust > chance && candidates.has(client, server)) {
      claims.add(rule, server, trust, ifBackground);
    }
  };
  for (const server of identities.of(client)) add(RuleNumber.identity, server, IDENTITY, 1e-4);
  for (let at = tokens.offsets[client]!; at < tokens.offsets[client + 1]!; at++) {
    add(RuleNumber.token, tokens.server[at]!, tokens.trust[at]!, tokens.ifBackground[at]!);
  }
  if (goroutines.server[client]! >= 0) {
    const server = goroutines.server[client]!;
    // On a descendant, an earlier request's work may go on.
    const isChild = goroutines.steps[client] === 0 ? 0 : 1;
    add(RuleNumber.goroutine, server, reliability.goroutine[isChild]!, isChild === 0 ? 0.01 : 0.05);
  }
  if (slices.forward[client]! >= 0) {
    add(RuleNumber.slice, slices.forward[client]!, reliability.slice[client]!, 1);
  }
  add(RuleNumber.turn, turns.forward[client]!, turns.forwardTrust[client]!, 1);
  add(RuleNumber['reply-turn'], turns.backward[client]!, turns.backwardTrust[client]!, 1);
  if (context.owner[client]! >= 0 && reliability.owner > 0) {
    // Threads that take one request at a time do no timers' work in between.
    add(RuleNumber.owner, context.owner[client]!, reliability.owner, isAlone(context) ? 0.02 : 1);
  }
  const own = ownRules(context, client);
  const kind = context.causeKind[client]!;
  const trust = reliability.forward[client]!;
  if (slices.isKnown[client] === 0) {
    claimForward(knowledge, chain, client, kind, context.cause[client]!, own, trust, add);
  }
  if (context.wakeKind[client] !== CauseKind.none) {
    const woken = { request: RuleNumber.wake, reply: RuleNumber.wake };
    const cause = context.wakeCause[client]!;
    const lent = context.wakeKind[client]!;
    claimForward(knowledge, chain, client, lent, cause, woken, reliability.wake[client]!, add);
  }
  const label = backward.kind[client]!;
  if (label !== BackwardKind.none) {
    // Anybody's call may have a neighbour; few replies are the last before a response.
    const ifBackground = label === BackwardKind.closing ? 0.1 : 1;
    const server = backward.server[client]!;
    add(RULE_OF_LABEL[label]!, server, backward.reliability[client]!, ifBackground);
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
