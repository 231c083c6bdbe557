import type { Batch } from '../../model/batch.js';
import { EXCHANGE_COLUMNS, type ExchangeTable, LossFlag, Role } from '../../model/exchange.js';
import { emptyTable } from '../../model/tables.js';
import type { ConnectionRows } from './connections.js';
import type { Pair } from './pairing.js';

/** What one connection adds to each of its exchanges. */
export interface ConnectionFacts {
  readonly host: number;
  readonly connection: bigint;
  readonly protocol: string;
  readonly role: Role;
  readonly rows: ConnectionRows;
  /** True where the messages are plaintext of TLS. */
  readonly encrypted: boolean;
}

interface Entry {
  readonly facts: ConnectionFacts;
  readonly pair: Pair;
  readonly order: number;
  readonly process: number;
  readonly closesConnection: boolean;
}

const TEXT = new TextDecoder();

/** Gathers exchanges as references to rows and messages, then turns them into columns. */
export class ExchangeBuilder {
  private readonly entries: Entry[] = [];

  constructor(
    private readonly events: Batch,
    private readonly baseNs: bigint,
    private readonly processOf: (host: number, pid: number, time: number) => number,
  ) {}

  add(facts: ConnectionFacts, pairs: readonly Pair[]): void {
    pairs.forEach((pair, order) => {
      const row = (pair.request ?? pair.response)!.firstRow;
      const process = this.processOf(facts.host, this.events.pid[row]!, this.timeOf(row));
      const closesConnection = order === pairs.length - 1;
      this.entries.push({ facts, pair, order, process, closesConnection });
    });
  }

  private timeOf(row: number): number {
    return row === -1 ? Number.NaN : Number(this.events.time_ns[row]! - this.baseNs);
  }

  private addressAt(column: Batch['local_address'], row: number): string {
    if (row === -1) return '';
    return TEXT.decode(column.data.subarray(column.offsets[row]!, column.offsets[row + 1]!));
  }

  /** Flags of the exchange as a whole. */
  private flagsOf({ facts, pair, closesConnection }: Entry): number {
    const { request, response } = pair;
    let flags =
      (request?.flags ?? LossFlag.startUnseen) | (response?.flags ?? LossFlag.responseUnseen);
    const { close } = facts.rows;
    const isComplete = response?.ended === true && (flags & LossFlag.endUnseen) === 0;
    if (closesConnection && !isComplete && close !== -1 && this.events.error[close] !== 0) {
      flags |= LossFlag.reset;
    }
    return flags;
  }

  /** The exchanges that `select` names, in the order they were added. */
  build(select: (process: number) => boolean): ExchangeTable {
    const entries = this.entries.filter(({ process }) => select(process));
    const { events } = this;
    const u32 = (value: (entry: Entry) => number) => Uint32Array.from(entries, value);
    const moment = (row: (entry: Entry) => number) =>
      Float64Array.from(entries, (entry) => this.timeOf(row(entry)));
    const tid = (row: (entry: Entry) => number) =>
      u32((entry) => (row(entry) === -1 ? 0 : events.tid[row(entry)]!));
    const at = (row: number, column: Uint16Array | Uint32Array) => (row === -1 ? 0 : column[row]!);
    const requestFirst = ({ pair }: Entry) => pair.request?.firstRow ?? -1;
    const requestLast = ({ pair }: Entry) => pair.request?.lastRow ?? -1;
    const responseFirst = ({ pair }: Entry) => pair.response?.firstRow ?? -1;
    const responseLast = ({ pair }: Entry) => pair.response?.lastRow ?? -1;
    // Later exchanges of a connection owe it nothing: only the first waited for connect().
    const connectRow = ({ facts, order }: Entry) =>
      facts.role === Role.client && order === 0 ? facts.rows.connect : -1;
    // A server may read a request's first byte in the background: who reads the rest handles it.
    const requestActor = (entry: Entry) =>
      entry.facts.role === Role.client ? requestFirst(entry) : requestLast(entry);
    const sentAt = (entry: Entry, column: Uint32Array) =>
      entry.facts.role === Role.client ? at(requestFirst(entry), column) : 0;
    return {
      ...emptyTable(EXCHANGE_COLUMNS, entries.length),
      host: Uint16Array.from(entries, ({ facts }) => facts.host),
      process: u32(({ process }) => process),
      connection: BigUint64Array.from(entries, ({ facts }) => facts.connection),
      peer: BigUint64Array.from(entries, ({ facts }) =>
        facts.rows.described === -1 ? 0n : events.peer[facts.rows.described]!,
      ),
      protocol: entries.map(({ facts }) => facts.protocol),
      role: Uint8Array.from(entries, ({ facts }) => facts.role),
      encrypted: Uint8Array.from(entries, ({ facts }) => Number(facts.encrypted)),
      order: u32(({ order }) => order),
      request_sequence: u32((entry) => at(requestFirst(entry), events.sequence)),
      response_sequence: u32((entry) => at(responseFirst(entry), events.sequence)),
      local_address: entries.map(({ facts }) =>
        this.addressAt(events.local_address, facts.rows.described),
      ),
      local_port: Uint16Array.from(entries, ({ facts }) =>
        at(facts.rows.described, events.local_port),
      ),
      remote_address: entries.map(({ facts }) =>
        this.addressAt(events.remote_address, facts.rows.described),
      ),
      remote_port: Uint16Array.from(entries, ({ facts }) =>
        at(facts.rows.described, events.remote_port),
      ),
      connect_time: moment(connectRow),
      connect_tid: tid(connectRow),
      request_start: moment(requestFirst),
      request_end: moment(requestLast),
      response_start: moment(responseFirst),
      response_end: moment(responseLast),
      request_start_tid: tid(requestFirst),
      request_end_tid: tid(requestLast),
      response_start_tid: tid(responseFirst),
      response_end_tid: tid(responseLast),
      lease_tid: u32((entry) => sentAt(entry, events.lease_tid)),
      lease_age: u32((entry) => sentAt(entry, events.lease_age)),
      request_goroutine: u32((entry) => at(requestActor(entry), events.goroutine)),
      response_goroutine: u32((entry) => at(responseFirst(entry), events.goroutine)),
      caller: u32((entry) => sentAt(entry, events.caller)),
      creator: u32((entry) =>
        entry.facts.role === Role.client
          ? at(requestFirst(entry), events.creator)
          : at(responseFirst(entry), events.creator),
      ),
      request_slice: u32((entry) => at(requestActor(entry), events.slice)),
      response_slice: u32((entry) => at(responseFirst(entry), events.slice)),
      request_bytes: Float64Array.from(entries, ({ pair }) => pair.request?.bytes ?? 0),
      response_bytes: Float64Array.from(entries, ({ pair }) => pair.response?.bytes ?? 0),
      status: Uint16Array.from(entries, ({ pair }) => pair.response?.head.status ?? 0),
      method: entries.map(({ pair }) => pair.request?.head.method ?? ''),
      target: entries.map(({ pair }) => pair.request?.head.target ?? ''),
      authority: entries.map(({ pair }) => pair.request?.head.authority ?? ''),
      trace_context: entries.map(({ pair }) => pair.request?.head.traceContext ?? ''),
      request_id: entries.map(({ pair }) => pair.request?.head.requestId ?? ''),
      tokens: entries.map(({ pair }) => pair.request?.head.tokens ?? ''),
      loss_flags: u32((entry) => this.flagsOf(entry)),
    };
  }
}
