/** No class has this key. */
const NONE = -1;

/** Numbers the classes that occur, in order of their first occurrence: a hash table with open addressing. */
export class ClassNumbers {
  private keys = new Float64Array(64).fill(NONE);
  private numbers = new Uint32Array(64);
  private size = 0;

  get count(): number {
    return this.size;
  }

  /** @param key names the class: an integer of 0 and more, below 2^53 */
  of(key: number): number {
    let at = this.place(key);
    if (this.keys[at] === key) return this.numbers[at]!;
    if (2 * this.size >= this.keys.length) {
      this.grow();
      at = this.place(key);
    }
    this.keys[at] = key;
    this.numbers[at] = this.size;
    return this.size++;
  }

  /** Where a key is, or would be put. */
  private place(key: number): number {
    const mask = this.keys.length - 1;
    let hash = Math.imul(key >>> 0, 0x9e3779b1) ^ Math.imul((key / 2 ** 32) >>> 0, 0x85ebca6b);
    hash ^= hash >>> 15;
    let at = hash & mask;
    while (this.keys[at] !== key && this.keys[at] !== NONE) at = (at + 1) & mask;
    return at;
  }

  private grow(): void {
    const { keys, numbers } = this;
    this.keys = new Float64Array(2 * keys.length).fill(NONE);
    this.numbers = new Uint32Array(2 * keys.length);
    for (let i = 0; i < keys.length; i++) {
      if (keys[i] === NONE) continue;
      const at = this.place(keys[i]!);
      this.keys[at] = keys[i]!;
      this.numbers[at] = numbers[i]!;
    }
  }
}

/** Steps of a factor of four above `least`, 0 up to `most` - 1. */
export function gapBucket(gap: number, least: number, most: number): number {
  if (!(gap > least)) return 0;
  return Math.min(most - 1, Math.ceil(Math.log2(gap / least) / 2));
}
