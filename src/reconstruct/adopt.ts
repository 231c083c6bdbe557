import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { EXCHANGE_COLUMNS, type ExchangeTable, Role } from '../model/exchange.js';
import type { ProcessRecord } from '../model/process.js';
import { takeRows } from '../model/tables.js';
import { readImportedExchanges } from '../store/import-files.js';
import { writeTable } from '../store/table-file.js';
import type { Plan } from './plan.js';
import type { AdoptInput, DecodeOutput } from './tasks.js';

/** A file of an import, and the first of the processes that stand for its services. */
export type Adopted = Plan['imports'][number] & { readonly firstProcess: number };

/**
 * The processes that stand for the services of imports, one per service.
 *
 * @param known how many processes there are already: theirs are numbered from there
 */
export function importedProcesses(
  imports: Plan['imports'],
  known: number,
): { processes: ProcessRecord[]; adopted: Adopted[] } {
  const processes: ProcessRecord[] = [];
  const firstOfHost = new Map<number, number>();
  const adopted = imports.map((file): Adopted => {
    const { hostIndex: host } = file;
    const first = firstOfHost.get(host);
    if (first !== undefined) return { ...file, firstProcess: first };
    const firstProcess = known + processes.length;
    firstOfHost.set(host, firstProcess);
    const life = { host, from: -Infinity, to: Infinity, executable: '', command: [], cgroup: '' };
    for (const [i, service] of file.services.entries()) {
      processes.push({ ...life, pid: i + 1, name: service, parentPid: 0, service });
    }
    return { ...file, firstProcess };
  });
  return { processes, adopted };
}

/** Rows that begin inside the range. */
function rowsInRange(table: ExchangeTable, { fromNs, toNs, fileBaseNs }: AdoptInput): Uint32Array {
  const after = (ns: string | undefined, open: number) =>
    ns === undefined ? open : Number(BigInt(ns) - BigInt(fileBaseNs));
  const from = after(fromNs, -Infinity);
  const to = after(toNs, Infinity);
  return Uint32Array.from(table.request_start.keys()).filter((row) => {
    const start = table.request_start[row]!;
    return start >= from && start < to;
  });
}

/** The same exchanges as those of a host, processes and times of this run. */
function rebase(table: ExchangeTable, input: AdoptInput): ExchangeTable {
  const shift = Number(BigInt(input.fileBaseNs) - BigInt(input.baseNs));
  const shifted = (times: Float64Array) => times.map((time) => time + shift);
  return {
    ...table,
    host: new Uint16Array(table.rows).fill(input.host),
    process: table.process.map((service) => input.firstProcess + service),
    connect_time: shifted(table.connect_time),
    request_start: shifted(table.request_start),
    request_end: shifted(table.request_end),
    response_start: shifted(table.response_start),
    response_end: shifted(table.response_end),
  };
}

/** The adopt task: one file of imported exchanges -> exchange files by process group. */
export async function adopt(input: AdoptInput): Promise<DecodeOutput> {
  const whole = await readImportedExchanges(input.file);
  const table = rebase(takeRows(EXCHANGE_COLUMNS, whole, rowsInRange(whole, input)), input);
  await mkdir(input.directory, { recursive: true, mode: 0o700 });
  const files: (string | undefined)[] = [];
  for (let group = 0; group < input.groups; group++) {
    const isHere = (row: number) => table.process[row]! % input.groups === group;
    const rows = Uint32Array.from(table.process.keys()).filter(isHere);
    const file = join(input.directory, `${group}.arrow`);
    if (rows.length > 0) {
      await writeTable(file, EXCHANGE_COLUMNS, takeRows(EXCHANGE_COLUMNS, table, rows));
    }
    files.push(rows.length > 0 ? file : undefined);
  }
  const clientExchanges = table.role.filter((role) => role === Role.client).length;
  return {
    files,
    connections: table.rows,
    opaqueConnections: 0,
    clientExchanges,
    serverExchanges: table.rows - clientExchanges,
  };
}
