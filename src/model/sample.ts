/**
 * Which connections are in a sample: decided by the addresses and ports alone, so that both
 * ends of a hop agree wherever they are recorded. The kernel programs do the same (bpf/lib/budget.h).
 */

/** The limit below which every key is. */
export const SAMPLE_ALL = 0xffffffff;

/** The finaliser of MurmurHash3 (Appleby, public domain). */
function mixBits(value: number): number {
  let mixed = value;
  mixed ^= mixed >>> 16;
  mixed = Math.imul(mixed, 0x85ebca6b);
  mixed ^= mixed >>> 13;
  mixed = Math.imul(mixed, 0xc2b2ae35);
  return (mixed ^ (mixed >>> 16)) >>> 0;
}

/** The groups of an IPv6 address, which may hold a dotted IPv4 at its end. */
function ipv6Groups(text: string): number[] {
  const dotted = /^(.*:)(\d+)\.(\d+)\.(\d+)\.(\d+)$/.exec(text);
  if (dotted !== null) {
    const [a = 0, b = 0, c = 0, d = 0] = dotted.slice(2).map(Number);
    return ipv6Groups(`${dotted[1]}${(a * 256 + b).toString(16)}:${(c * 256 + d).toString(16)}`);
  }
  const [head = '', tail] = text.split('::');
  const groups = (part: string) =>
    part === '' ? [] : part.split(':').map((x) => Number.parseInt(x, 16));
  const before = groups(head);
  const after = groups(tail ?? '');
  const missing = tail === undefined ? 0 : Math.max(0, 8 - before.length - after.length);
  return [...before, ...new Array<number>(missing).fill(0), ...after];
}

/** An address as four 32-bit words in memory order of a little-endian machine; IPv4 as mapped IPv6. */
function addressWords(text: string): Uint32Array {
  const bytes = new Uint8Array(16);
  const parts = text.split('.').map(Number);
  if (parts.length === 4 && !text.includes(':')) {
    bytes.set([0xff, 0xff, ...parts], 10);
  } else {
    for (const [i, group] of ipv6Groups(text).slice(0, 8).entries()) {
      bytes[2 * i] = group >> 8;
      bytes[2 * i + 1] = group;
    }
  }
  const view = new DataView(bytes.buffer);
  return Uint32Array.from([0, 4, 8, 12], (at) => view.getUint32(at, true));
}

function endKey(address: string, port: number): number {
  const words = addressWords(address);
  const key = words.reduce((key, word) => mixBits((key ^ word) >>> 0), 0);
  return mixBits((key ^ port) >>> 0);
}

/** The same for both ends of a connection, 1..2^32 - 1; text that is no address gives some key. */
export function sampleKey(
  localAddress: string,
  localPort: number,
  remoteAddress: string,
  remotePort: number,
): number {
  const sum = (endKey(localAddress, localPort) + endKey(remoteAddress, remotePort)) >>> 0;
  return mixBits(sum) || 1;
}
