import { CauseKind } from './cause-kind.js';

/** What each actor is doing, as columns. */
export class Actors {
  readonly kind: Uint8Array;
  readonly subject: Int32Array;
  readonly time: Float64Array;
  /** The message that brought this from another actor; -1 none. */
  readonly message: Int32Array;
  readonly lentKind: Uint8Array;
  readonly lentSubject: Int32Array;
  readonly lentTime: Float64Array;
  readonly lentUses: Uint16Array;
  /** Who woke the actor since it last read or answered something; -1 none. */
  readonly lentBy: Int32Array;
  /** The last call since the actor read or answered something; -1 none. */
  readonly sent: Int32Array;
  /** The server that the actor read and has not answered; -1 none. */
  readonly taken: Int32Array;
  /** Of the servers that the actor read, the one whose answer ends last; -1 none. */
  readonly latest: Int32Array;
  /** The last of the calls that wait for their end; -1 none. */
  readonly pending: Int32Array;
  /** Since the actor last answered: calls whose replies made others wake it; undefined none. */
  readonly returned: (number[] | undefined)[];
  /** And the calls of actors that it woke. */
  readonly dispatched: (number[] | undefined)[];

  constructor(count: number) {
    const none = () => new Int32Array(count).fill(-1);
    this.kind = new Uint8Array(count);
    this.subject = none();
    this.time = new Float64Array(count).fill(Number.NaN);
    this.message = none();
    this.lentKind = new Uint8Array(count);
    this.lentSubject = none();
    this.lentTime = new Float64Array(count).fill(Number.NaN);
    this.lentUses = new Uint16Array(count);
    this.lentBy = none();
    this.sent = none();
    this.taken = none();
    this.latest = none();
    this.pending = none();
    this.returned = new Array<number[] | undefined>(count);
    this.dispatched = new Array<number[] | undefined>(count);
  }

  set(actor: number, kind: number, subject: number, time: number): void {
    this.kind[actor] = kind;
    this.subject[actor] = subject;
    this.time[actor] = time;
    this.message[actor] = -1;
    this.sent[actor] = -1;
    this.lentKind[actor] = CauseKind.none;
    this.lentBy[actor] = -1;
  }

  /** `waker` hands what it is doing now to `woken`. */
  lend(waker: number, woken: number, time: number): void {
    const isLent = this.lentKind[waker] !== CauseKind.none;
    const kind = isLent ? this.lentKind[waker]! : this.kind[waker]!;
    this.lentKind[woken] = kind === CauseKind.response ? CauseKind.none : kind;
    this.lentSubject[woken] = isLent ? this.lentSubject[waker]! : this.subject[waker]!;
    this.lentTime[woken] = time;
    this.lentUses[woken] = 0;
    this.lentBy[woken] = waker;
  }

  /** The call whose reply the actor is working on; -1 none. */
  replyOf(actor: number): number {
    const isLent = this.lentKind[actor] !== CauseKind.none;
    const kind = isLent ? this.lentKind[actor] : this.kind[actor];
    if (kind !== CauseKind.reply) return -1;
    return isLent ? this.lentSubject[actor]! : this.subject[actor]!;
  }
}
