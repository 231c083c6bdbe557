import { readFileSync } from 'node:fs';

/** TCP payloads of one direction of one connection, in capture order. */
export interface Flow {
  /** `10.0.0.1:40000 10.0.0.2:80` */
  readonly name: string;
  readonly payloads: Uint8Array[];
}

/**
 * TCP payloads of a little-endian pcap file of Ethernet frames with IPv4: just enough for
 * the captures of the tests, which have no retransmissions.
 */
export function readFlows(file: string): Flow[] {
  const data = readFileSync(file);
  if (data.readUInt32LE(0) !== 0xa1b2c3d4 || data.readUInt32LE(20) !== 1) {
    throw new Error(`${file}: not a little-endian pcap file of Ethernet frames`);
  }
  const flows = new Map<string, Flow>();
  for (let at = 24; at < data.length; ) {
    const captured = data.readUInt32LE(at + 8);
    const frame = data.subarray(at + 16, at + 16 + captured);
    at += 16 + captured;
    const ip = frame.readUInt16BE(12) === 0x8100 ? 18 : 14;
    if (frame.readUInt16BE(ip - 2) !== 0x800 || frame[ip + 9] !== 6) continue;
    const tcp = ip + (frame[ip]! & 15) * 4;
    const address = (offset: number) => frame.subarray(ip + offset, ip + offset + 4).join('.');
    const name = `${address(12)}:${frame.readUInt16BE(tcp)} ${address(16)}:${frame.readUInt16BE(tcp + 2)}`;
    const payload = frame.subarray(
      tcp + (frame[tcp + 12]! >> 4) * 4,
      ip + frame.readUInt16BE(ip + 2),
    );
    if (payload.length === 0) continue;
    const flow = flows.get(name) ?? { name, payloads: [] };
    flow.payloads.push(payload);
    flows.set(name, flow);
  }
  return [...flows.values()];
}
