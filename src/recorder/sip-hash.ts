/**
 * SipHash-2-4: a keyed hash of short inputs, 64 bits, that tells nothing without its key
 * (Aumasson and Bernstein, "SipHash: a fast short-input PRF", INDOCRYPT 2012). As native/sip_hash.h.
 */
export class SipHash {
  /** Bytes added. */
  length = 0;
  private v0: bigint;
  private v1: bigint;
  private v2: bigint;
  private v3: bigint;
  private word = 0n;

  /** @param key 16 bytes */
  constructor(key: Uint8Array) {
    const view = new DataView(key.buffer, key.byteOffset, 16);
    const [low, high] = [view.getBigUint64(0, true), view.getBigUint64(8, true)];
    this.v0 = low ^ 0x736f6d6570736575n;
    this.v1 = high ^ 0x646f72616e646f6dn;
    this.v2 = low ^ 0x6c7967656e657261n;
    this.v3 = high ^ 0x7465646279746573n;
  }

  /** One that takes more input without changing this one. */
  copy(): SipHash {
    return Object.assign(Object.create(SipHash.prototype) as SipHash, this);
  }

  add(byte: number): void {
    this.word |= BigInt(byte) << BigInt(8 * (this.length & 7));
    if ((++this.length & 7) !== 0) return;
    this.compress(this.word);
    this.word = 0n;
  }

  /** Ends the input. */
  finish(): bigint {
    this.compress(this.word | (BigInt(this.length & 255) << 56n));
    this.v2 ^= 0xffn;
    for (let i = 0; i < 4; i++) this.round();
    return this.v0 ^ this.v1 ^ this.v2 ^ this.v3;
  }

  private compress(word: bigint): void {
    this.v3 ^= word;
    this.round();
    this.round();
    this.v0 ^= word;
  }

  private round(): void {
    this.v0 = sum(this.v0, this.v1);
    this.v2 = sum(this.v2, this.v3);
    this.v1 = rotated(this.v1, 13n) ^ this.v0;
    this.v3 = rotated(this.v3, 16n) ^ this.v2;
    this.v0 = rotated(this.v0, 32n);
    this.v2 = sum(this.v2, this.v1);
    this.v0 = sum(this.v0, this.v3);
    this.v1 = rotated(this.v1, 17n) ^ this.v2;
    this.v3 = rotated(this.v3, 21n) ^ this.v0;
    this.v2 = rotated(this.v2, 32n);
  }
}

const sum = (a: bigint, b: bigint) => BigInt.asUintN(64, a + b);
const rotated = (value: bigint, by: bigint) =>
  BigInt.asUintN(64, value << by) | (value >> (64n - by));
