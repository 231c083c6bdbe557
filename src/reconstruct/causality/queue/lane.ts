/** Calls that leave in the order of what led to them, and all that may have: columns, by time. */
export interface Lane {
  /** Per trigger: its kind, a small number. */
  readonly triggerKind: Uint32Array;
  /** Per trigger: the server it works for; -1 not known. */
  readonly triggerServer: Int32Array;
  /** Per call of the lane: its kind. */
  readonly callKind: Uint32Array;
  /** Per call: triggers from `first` to before `end` may have led to it; both never fall. */
  readonly first: Uint32Array;
  readonly end: Uint32Array;
  /** How well each trigger of [first, end) goes with what is known of a call, 0..1: fills `out`. */
  agreement(call: number, first: number, end: number, out: Float64Array): void;
}

/** Against a trigger of a server that the call is known not to be of, or that was answered before. */
export const CONTRADICTED = 1e-3;
/** Against a trigger of which it is not known whose it is, where the call's server is known. */
export const UNKNOWN = 0.3;
