import { createHash, type Hash } from 'node:crypto';

/** A bijection of 32-bit numbers that leaves no order visible (the finaliser of MurmurHash3). */
export function mix32(value: number): number {
  let mixed = value | 0;
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return (mixed ^ (mixed >>> 16)) >>> 0;
}

/** 48 bits of a hash. */
export function hashOf(...parts: readonly string[]): number {
  return createHash('sha1').update(JSON.stringify(parts)).digest().readUIntBE(0, 6);
}

/** 32 hex digits in the form of a boot id. */
export function bootIdOf(hash: Hash): string {
  const hex = hash.digest('hex');
  return [0, 8, 12, 16, 20].map((from, i) => hex.slice(from, [8, 12, 16, 20, 32][i])).join('-');
}

/** IPv6 addresses of an import (RFC 4193), so that those of two imports never meet. */
export function addressesOf(bootId: string): {
  service: (index: number) => string;
  peer: (index: number) => string;
} {
  const hex = bootId.replaceAll('-', '');
  const group = (from: number) => Number.parseInt(hex.slice(from, from + 4), 16).toString(16);
  const prefix = `fd${hex.slice(0, 2)}:${group(2)}:${group(6)}`;
  return {
    service: (index) => `${prefix}::${(index + 1).toString(16)}`,
    peer: (index) => `${prefix}:1::${(index + 1).toString(16)}`,
  };
}
