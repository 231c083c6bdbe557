import { CELLS, positionOf } from './axis.js';

/** Gaps counted on the axis, each shared out between the two cells it lies between. */
export class GapHistogram {
  readonly counts = new Float64Array(CELLS);
  /** Cells [first, last] may hold something. */
  first = CELLS;
  last = -1;
  total = 0;
  /** Gaps are whole multiples of this, µs; 0 where clocks are fine. */
  readonly tick: number;

  constructor(tick = 0) {
    this.tick = tick;
  }

  /** @param gap µs; gaps that are not finite are left out */
  add(gap: number, weight: number): void {
    if (Number.isFinite(gap)) this.addAt(positionOf(gap), weight);
  }

  /** @param position on the axis */
  addAt(position: number, weight: number): void {
    const cell = position | 0;
    const part = position - cell;
    this.counts[cell]! += weight * (1 - part);
    if (cell + 1 < CELLS) this.counts[cell + 1]! += weight * part;
    if (cell < this.first) this.first = cell;
    if (cell + 1 > this.last) this.last = Math.min(CELLS - 1, cell + 1);
    this.total += weight;
  }

  addAll(other: GapHistogram): void {
    for (let cell = other.first; cell <= other.last; cell++) {
      this.counts[cell]! += other.counts[cell]!;
    }
    if (other.first < this.first) this.first = other.first;
    if (other.last > this.last) this.last = other.last;
    this.total += other.total;
  }

  clear(): void {
    this.counts.fill(0, this.first, this.last + 1);
    this.first = CELLS;
    this.last = -1;
    this.total = 0;
  }

  /** Standard deviation, or quartile distance over 1.34 where that is less; cells. */
  spread(): number {
    let mean = 0;
    for (let cell = this.first; cell <= this.last; cell++) mean += cell * this.counts[cell]!;
    mean /= this.total;
    let squares = 0;
    let below = 0;
    let low = -1;
    let high = -1;
    for (let cell = this.first; cell <= this.last; cell++) {
      const count = this.counts[cell]!;
      squares += count * (cell - mean) ** 2;
      below += count;
      if (low === -1 && below >= this.total / 4) low = cell;
      if (high === -1 && below >= (this.total * 3) / 4) high = cell;
    }
    const deviation = Math.sqrt(squares / this.total);
    const quartiles = (high - low) / 1.34;
    return quartiles > 0 ? Math.min(deviation, quartiles) : deviation;
  }
}
