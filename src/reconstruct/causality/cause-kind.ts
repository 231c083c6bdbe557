/** What an actor had last done, or was woken for, when it made a call. */
export const CauseKind = {
  /** Nothing known. */
  none: 0,
  /** A request was read: cause is that server. */
  request: 1,
  /** A reply was read: cause is that client, whose parent the call shares. */
  reply: 2,
  /** A response was written: cause is that server, already answered. */
  response: 3,
} as const;

/**
 * How what came after a call names its request: the actor answered it, or woke the thread that
 * does; and whether other calls of the actor came in between.
 */
export const EndKind = { none: 0, response: 1, wake: 2, earlierWake: 3 } as const;
export const END_KINDS = 4;
