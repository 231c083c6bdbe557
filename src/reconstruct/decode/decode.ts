import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type Batch, EVENT_COLUMNS } from '../../model/batch.js';
import { EXCHANGE_COLUMNS, Role } from '../../model/exchange.js';
import { concatTables } from '../../model/tables.js';
import { readTable, writeTable } from '../../store/table-file.js';
import { processFinder } from '../process-finder.js';
import type { DecodeInput, DecodeOutput } from '../tasks.js';
import { forEachConnection, roleOf } from './connections.js';
import { ExchangeBuilder } from './exchange-builder.js';
import { pairMessages } from './pairing.js';
import { isEncrypted, messageRows, withPlaintextPositions } from './plaintext.js';
import { buildStream } from './streams.js';

/** Exchanges of one host's events, gathered in a builder, with what was counted on the way. */
export interface Decoded {
  readonly builder: ExchangeBuilder;
  readonly connections: number;
  readonly opaqueConnections: number;
  readonly clientExchanges: number;
  readonly serverExchanges: number;
}

/**
 * Turns the events of one host into exchanges: streams in sequence order, messages,
 * pairs. Pure; never throws on any bytes.
 *
 * @param events rows of whole connections, in capture order
 */
export function decodeEvents(
  events: Batch,
  host: number,
  baseNs: bigint,
  processOf: (host: number, pid: number, time: number) => number,
): Decoded {
  const builder = new ExchangeBuilder(events, baseNs, processOf);
  const streams = withPlaintextPositions(events);
  const counts = { connections: 0, opaqueConnections: 0, clientExchanges: 0, serverExchanges: 0 };
  forEachConnection(events, (rows, connection) => {
    if (rows.sends.length + rows.receives.length === 0 && !isEncrypted(rows)) return;
    counts.connections++;
    const { sends, receives } = messageRows(rows);
    const role = roleOf(events, { sends, receives });
    if (role === undefined) {
      counts.opaqueConnections++;
      return;
    }
    const isClient = role === Role.client;
    const requests = buildStream(streams, isClient ? sends : receives);
    const responses = buildStream(streams, isClient ? receives : sends);
    const pairs = pairMessages(streams, requests, responses, rows.end !== -1);
    counts[isClient ? 'clientExchanges' : 'serverExchanges'] += pairs.length;
    builder.add({ host, connection, role, rows, encrypted: isEncrypted(rows) }, pairs);
  });
  return { builder, ...counts };
}

async function readHosts(input: DecodeInput): Promise<Map<number, Batch>> {
  const tables = new Map<number, Batch[]>();
  for (const { file, host } of input.shards) {
    const table = await readTable(file, EVENT_COLUMNS);
    const list = tables.get(host);
    if (list === undefined) tables.set(host, [table]);
    else list.push(table);
  }
  return new Map([...tables].map(([host, list]) => [host, concatTables(EVENT_COLUMNS, list)]));
}

/** The decode task: one partition's shards -> exchange files by process group. */
export async function decode(input: DecodeInput): Promise<DecodeOutput> {
  const processOf = processFinder(input.processes);
  const decoded = [...(await readHosts(input))].map(([host, events]) =>
    decodeEvents(events, host, BigInt(input.baseNs), processOf),
  );
  await mkdir(input.directory, { recursive: true, mode: 0o700 });
  const files: (string | undefined)[] = [];
  for (let group = 0; group < input.groups; group++) {
    const tables = decoded.map(({ builder }) =>
      builder.build((process) => process % input.groups === group),
    );
    const table = concatTables(EXCHANGE_COLUMNS, tables);
    const file = join(input.directory, `${group}.arrow`);
    if (table.rows > 0) await writeTable(file, EXCHANGE_COLUMNS, table);
    files.push(table.rows > 0 ? file : undefined);
  }
  const sum = (value: (part: (typeof decoded)[number]) => number) =>
    decoded.reduce((total, part) => total + value(part), 0);
  return {
    files,
    connections: sum((part) => part.connections),
    opaqueConnections: sum((part) => part.opaqueConnections),
    clientExchanges: sum((part) => part.clientExchanges),
    serverExchanges: sum((part) => part.serverExchanges),
  };
}
