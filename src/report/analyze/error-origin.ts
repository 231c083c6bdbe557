import { LossFlag } from '../../model/exchange.js';
import type { Places } from './places.js';
import type { SpanIndex } from './span-index.js';

/** Where the failure of one request began. */
export interface Origin {
  /** The span where it began: of the service itself, or the call that got no answer. */
  readonly span: number;
  readonly place: number;
  /** From the outermost failed span to the origin. */
  readonly path: readonly number[];
  /** The origin's service had a failed call then that could not be linked: it may begin further in. */
  readonly uncertain: boolean;
}

/** Follows failures inwards along the links. */
export class OriginFinder {
  readonly #index: SpanIndex;
  readonly #places: Places;
  readonly #children = new Map<number, number[]>();
  /** Failed calls without a parent, by service. */
  readonly #unlinked = new Map<number, number[]>();

  constructor(index: SpanIndex, places: Places) {
    this.#index = index;
    this.#places = places;
    for (let row = 0; row < index.rows; row++) {
      if (index.failed[row] === 0) continue;
      const parent = index.parent[row]!;
      if (parent !== -1) push(this.#children, parent, row);
      else if (index.isUnknown[row] === 1) push(this.#unlinked, index.service[row]!, row);
    }
  }

  /** @param row a failed span */
  find(row: number): Origin {
    const { end } = this.#index;
    const path = [row];
    let at = row;
    for (;;) {
      const failed = this.#children.get(at);
      if (failed === undefined) break;
      // A retry that failed too ends last: it is the one whose answer was passed on.
      at = failed.reduce((last, child) => (end[child]! > end[last]! ? child : last));
      path.push(at);
    }
    return { span: at, place: this.#places.ofSpan[at]!, path, uncertain: this.#isUncertain(at) };
  }

  #isUncertain(row: number): boolean {
    const { start, end, service } = this.#index;
    const calls = this.#unlinked.get(service[row]!) ?? [];
    return calls.some((call) => start[call]! >= start[row]! && end[call]! <= end[row]!);
  }
}

function push(map: Map<number, number[]>, key: number, row: number): void {
  const known = map.get(key);
  if (known === undefined) map.set(key, [row]);
  else known.push(row);
}

/** How a failure shows: its status, or that none came. */
export function symptomOf(index: SpanIndex, row: number): string {
  const status = index.table.status[row]!;
  if (status !== 0) return String(status);
  const isReset = (index.table.loss_flags[row]! & LossFlag.reset) !== 0;
  return isReset ? 'connection reset' : 'no response';
}
