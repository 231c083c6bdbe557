/** Numbers the classes that occur, in order of their first occurrence. */
export class ClassNumbers {
  private readonly numbers = new Map<number, number>();

  get count(): number {
    return this.numbers.size;
  }

  /** @param key names the class: an integer below 2^53 */
  of(key: number): number {
    let known = this.numbers.get(key);
    if (known === undefined) {
      known = this.numbers.size;
      this.numbers.set(key, known);
    }
    return known;
  }
}

/** Steps of a factor of four above `least`, 0 up to `most` - 1. */
export function gapBucket(gap: number, least: number, most: number): number {
  if (!(gap > least)) return 0;
  return Math.min(most - 1, Math.ceil(Math.log2(gap / least) / 2));
}
