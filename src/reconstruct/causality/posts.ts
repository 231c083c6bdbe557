import type { Actors } from './actors.js';

/**
 * Messages that actors post to each other, each with what its poster was doing then. What an actor does from the
 * taking of a message until it takes up something else is for that. A message that was posted because
 * of another one passes on what that brought.
 */
export class Posts {
  /** Per message: CauseKind and subject of what its poster had last done. */
  readonly kind: Uint8Array;
  readonly subject: Int32Array;

  constructor(count: number) {
    this.kind = new Uint8Array(count);
    this.subject = new Int32Array(count).fill(-1);
  }

  post(actors: Actors, actor: number, message: number): void {
    this.kind[message] = actors.kind[actor]!;
    this.subject[message] = actors.subject[actor]!;
  }

  /** Of a message that was posted before anything is known, the taker's work is nobody's. */
  take(actors: Actors, actor: number, message: number, time: number): void {
    actors.set(actor, this.kind[message]!, this.subject[message]!, time);
    actors.message[actor] = message;
  }
}
