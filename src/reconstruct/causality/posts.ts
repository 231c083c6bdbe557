import type { Actors } from './actors.js';

/** What a message first led to in the turn in which it was taken. */
export const EffectKind = {
  none: 0,
  /** A call was made: effect is that client. */
  call: 1,
  /** A response was written: effect is that server. */
  response: 2,
  /** Another message was posted: effect is its number. */
  post: 3,
} as const;

/** What messages bring is silent below this trust: regularity bounds it from above, and far below 1 says little. */
export const LEAST_POST_TRUST = 0.8;

/** Messages that are followed from one to the next at most: more hops than programs have. */
const MOST_HOPS = 16;

/**
 * Messages that actors post to each other, each with what its poster was doing then. What an actor does from the
 * taking of a message until it takes up something else is for that. A message that was posted because
 * of another one passes on what that brought. They are numbered in order of their taking.
 */
export class Posts {
  readonly count: number;
  /** Per message: CauseKind and subject of what its poster had last done. */
  readonly kind: Uint8Array;
  readonly subject: Int32Array;
  /** Per message: the one that had brought that to the poster; -1 none. */
  readonly before: Int32Array;
  /** Per message: the actor that posted it. */
  readonly poster: Int32Array;
  private readonly effectKind: Uint8Array;
  private readonly effect: Int32Array;

  constructor(count: number) {
    const none = () => new Int32Array(count).fill(-1);
    this.count = count;
    this.kind = new Uint8Array(count);
    this.subject = none();
    this.before = none();
    this.poster = none();
    this.effectKind = new Uint8Array(count);
    this.effect = none();
  }

  post(actors: Actors, actor: number, message: number): void {
    const before = actors.message[actor]!;
    this.kind[message] = actors.kind[actor]!;
    this.subject[message] = actors.subject[actor]!;
    this.before[message] = before;
    this.poster[message] = actor;
    this.leadTo(before, EffectKind.post, message);
  }

  /** Of a message that was posted before anything is known, the taker's work is nobody's. */
  take(actors: Actors, actor: number, message: number, time: number): void {
    actors.set(actor, this.kind[message]!, this.subject[message]!, time);
    actors.message[actor] = message;
  }

  /** What was done in the turn of a message, -1 none: the first of it counts. */
  leadTo(message: number, kind: number, subject: number): void {
    if (message < 0 || this.effectKind[message] !== EffectKind.none) return;
    this.effectKind[message] = kind;
    this.effect[message] = subject;
  }

  /** The call or response that a message led to, over others or not; EffectKind.none where neither came. */
  effectOf(message: number): { kind: number; subject: number } {
    let at = message;
    for (let hop = 0; hop < MOST_HOPS && this.effectKind[at] === EffectKind.post; hop++) {
      at = this.effect[at]!;
    }
    const kind = this.effectKind[at]!;
    if (kind === EffectKind.post) return { kind: EffectKind.none, subject: -1 };
    return { kind, subject: this.effect[at]! };
  }
}

/**
 * What the classes of a rule are worth where messages bring what it speaks of: its own trust, times
 * the mean of that in the messages.
 *
 * @param of per thing: class; -1 none
 * @param message per thing: the message that brought it; -1 none
 * @param trust per class; changed
 * @param posted per message: trust that what its poster had last done led to it
 */
export function temperByPosts(
  of: Int32Array,
  message: Int32Array,
  trust: Float64Array,
  posted: Float64Array,
): void {
  if (posted.length === 0) return;
  const sum = new Float64Array(trust.length);
  const count = new Float64Array(trust.length);
  for (let i = 0; i < of.length; i++) {
    const [at, by] = [of[i]!, message[i]!];
    if (at < 0 || by < 0) continue;
    sum[at]! += posted[by]!;
    count[at]!++;
  }
  for (let at = 0; at < trust.length; at++) {
    if (count[at]! > 0) trust[at]! *= sum[at]! / count[at]!;
  }
}
