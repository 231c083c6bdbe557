import type { CallTypes } from './background.js';
import { BackwardKind, type BackwardLabels } from './backward-labels.js';
import type { IdentityMatches } from './identity.js';
import type { Reliability } from './reliability.js';
import { CauseKind, type ThreadContext } from './thread-context.js';

/** One thing that speaks for one server being the parent of a call. */
export interface Evidence {
  readonly rule:
    | 'identity'
    | 'owner'
    | 'thread'
    | 'connect'
    | 'after-reply'
    | 'closing'
    | 'sibling'
    | 'successor';
  /** The server it names. */
  readonly server: number;
  /** Probability that the rule names the right server when it speaks, 0..1. */
  readonly reliability: number;
  /** How likely the rule is to name this server if the call belonged to no request, 0..1. */
  readonly ifBackground: number;
  /** The observation in plain words. */
  readonly text: string;
}

/** An identity that one open request carries outweighs all that threads may suggest. */
const IDENTITY = 1 - 1e-9;

function microseconds(ns: number): string {
  if (ns >= 1e6) return `${(ns / 1e6).toPrecision(3)} ms`;
  return `${(ns / 1e3).toPrecision(3)} µs`;
}

function ownerEvidence(
  context: ThreadContext,
  trust: Reliability,
  client: number,
): Evidence | undefined {
  const server = context.owner[client]!;
  if (server < 0 || trust.owner === 0) return undefined;
  return {
    rule: 'owner',
    server,
    reliability: trust.owner,
    // Threads that take one request at a time do no timers' work in between.
    ifBackground: context.interleaved < 0.005 ? 0.02 : 1,
    text: 'the sending thread read this request and wrote its response, with no other request in between',
  };
}

function forwardEvidence(
  context: ThreadContext,
  trust: Reliability,
  type: number,
  client: number,
  parentOf: (client: number) => { server: number; confidence: number },
): Evidence | undefined {
  const cause = context.cause[client]!;
  const when = `${microseconds(context.gap[client]!)} before`;
  const atConnect = context.atConnect[client] === 1;
  const act = atConnect ? 'opening the connection' : 'the call';
  const rule = atConnect ? 'connect' : 'thread';
  switch (context.causeKind[client]) {
    case CauseKind.request: {
      const reliability = (atConnect ? trust.connect : trust.request)[type]!;
      return {
        rule,
        server: cause,
        reliability,
        ifBackground: 1,
        text: `reading this request was the last thing the thread received, ${when} ${act}`,
      };
    }
    case CauseKind.reply: {
      const earlier = parentOf(cause);
      if (earlier.server < 0) return undefined;
      const rule = (atConnect ? trust.connect : trust.reply)[type]!;
      return {
        rule: atConnect ? 'connect' : 'after-reply',
        server: earlier.server,
        reliability: rule * earlier.confidence,
        ifBackground: 1,
        text: `the thread had last received the reply to another call of this request, ${when} ${act}`,
      };
    }
    case CauseKind.response:
      return {
        rule,
        server: cause,
        reliability: 0.5,
        ifBackground: 1,
        text: `the thread had just written this request’s response, ${when} ${act}`,
      };
    default:
      return undefined;
  }
}

const BACKWARD_TEXT = {
  [BackwardKind.closing]:
    'its reply was the last thing the thread received before it wrote this request’s response',
  [BackwardKind.sibling]:
    'it was sent together with a call whose reply led to this request’s response',
  [BackwardKind.successor]:
    'its reply led to the next call, whose reply led to this request’s response',
} as const;
const BACKWARD_RULE = {
  [BackwardKind.closing]: 'closing',
  [BackwardKind.sibling]: 'sibling',
  [BackwardKind.successor]: 'successor',
} as const;

function backwardEvidence(labels: BackwardLabels, client: number): Evidence | undefined {
  const kind = labels.kind[client]!;
  if (
    kind !== BackwardKind.closing &&
    kind !== BackwardKind.sibling &&
    kind !== BackwardKind.successor
  ) {
    return undefined;
  }
  return {
    rule: BACKWARD_RULE[kind],
    server: labels.server[client]!,
    reliability: labels.reliability[client]!,
    // Anybody's call may have a neighbour; few replies are the last before a response.
    ifBackground: kind === BackwardKind.closing ? 0.1 : 1,
    text: BACKWARD_TEXT[kind],
  };
}

function identityEvidence(
  identities: IdentityMatches,
  client: number,
  candidates: Uint32Array,
): Evidence[] {
  const same = identities.servers[client];
  if (same === undefined) return [];
  const matching = candidates.filter((server) => same.has(server));
  if (matching.length !== 1) return [];
  const text = `both carry ${identities.by[client]}`;
  return [
    { rule: 'identity', server: matching[0]!, reliability: IDENTITY, ifBackground: 1e-4, text },
  ];
}

/** All that the rules of context know. */
export interface Knowledge {
  readonly types: CallTypes;
  readonly context: ThreadContext;
  readonly reliability: Reliability;
  readonly backward: BackwardLabels;
  readonly identities: IdentityMatches;
}

/**
 * Collects what speaks for the candidates of one call. Rules that name a server which
 * is no candidate, or that are no better than chance in this process, stay silent.
 *
 * @param parentOf the decision on an earlier call, for calls that follow its reply
 */
export function gatherEvidence(
  knowledge: Knowledge,
  client: number,
  candidates: Uint32Array,
  parentOf: (client: number) => { server: number; confidence: number },
): Evidence[] {
  const { context, types, reliability, backward, identities } = knowledge;
  const found = [
    ...identityEvidence(identities, client, candidates),
    ownerEvidence(context, reliability, client),
    forwardEvidence(context, reliability, types.of[client]!, client, parentOf),
    backwardEvidence(backward, client),
  ];
  const chance = 1 / Math.max(1, candidates.length);
  return found.filter(
    (evidence): evidence is Evidence =>
      evidence !== undefined &&
      candidates.includes(evidence.server) &&
      (candidates.length === 1 || evidence.reliability > chance),
  );
}
