// Helpers of the live recorder tests: real kernel, real servers, rows as plain objects.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { createServer } from 'node:net';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect } from 'vitest';
import type { Batch } from '../../src/model/batch.js';
import type { BytesColumn } from '../../src/model/columns.js';
import { EventFlag, EventKind } from '../../src/model/event.js';
import { HintKind } from '../../src/model/hints.js';
import { nativeAvailable, openNativeSource } from '../../src/recorder/native-source.js';
import type { CaptureOptions, EventSource } from '../../src/recorder/source.js';

export interface LiveEvent {
  readonly timeNs: bigint;
  readonly kind: number;
  readonly flags: number;
  readonly pid: number;
  readonly tid: number;
  readonly connection: bigint;
  readonly peer: bigint;
  readonly sequence: number;
  readonly peerSequence: number;
  readonly bytes: number;
  readonly error: number;
  readonly netns: number;
  readonly localPort: number;
  readonly remotePort: number;
  readonly localAddress: string;
  readonly remoteAddress: string;
  readonly parent: number;
  readonly name: string;
  readonly payload: string;
  readonly goroutine: number;
  readonly caller: number;
  readonly creator: number;
  readonly slice: number;
  readonly leaseTid: number;
  readonly leaseAge: number;
  readonly wakee: number;
  readonly call: number;
  readonly waitCall: number;
  readonly waitWord: bigint;
}

export const ALL: CaptureOptions = {
  snaplen: 1024,
  ringBytes: 4 << 20,
  ports: [],
  pids: [],
  names: [],
  cgroups: [],
  hints: HintKind.threads,
};

const availability = nativeAvailable();

/** A suite that needs the kernel; says loudly why it cannot run. */
export function describeLive(name: string, suite: () => void): void {
  if (availability.ok) {
    describe(name, suite);
    return;
  }
  console.warn(`SKIPPED: live recorder, ${name}: ${availability.reason} ${availability.remedy}`);
  describe.skip(name, suite);
}

function text(column: BytesColumn, row: number): string {
  const bytes = column.data.subarray(column.offsets[row], column.offsets[row + 1]);
  return Buffer.from(bytes).toString('latin1');
}

function toEvents(batch: Batch): LiveEvent[] {
  return Array.from({ length: batch.rows }, (_, row) => ({
    timeNs: batch.time_ns[row]!,
    kind: batch.kind[row]!,
    flags: batch.flags[row]!,
    pid: batch.pid[row]!,
    tid: batch.tid[row]!,
    connection: batch.connection[row]!,
    peer: batch.peer[row]!,
    sequence: batch.sequence[row]!,
    peerSequence: batch.peer_sequence[row]!,
    bytes: batch.bytes[row]!,
    error: batch.error[row]!,
    netns: batch.netns[row]!,
    localPort: batch.local_port[row]!,
    remotePort: batch.remote_port[row]!,
    localAddress: text(batch.local_address, row),
    remoteAddress: text(batch.remote_address, row),
    parent: batch.parent[row]!,
    name: text(batch.name, row),
    payload: text(batch.payload, row),
    goroutine: batch.goroutine[row]!,
    caller: batch.caller[row]!,
    creator: batch.creator[row]!,
    slice: batch.slice[row]!,
    leaseTid: batch.lease_tid[row]!,
    leaseAge: batch.lease_age[row]!,
    wakee: batch.wakee[row]!,
    call: batch.call[row]!,
    waitCall: batch.wait_call[row]!,
    waitWord: batch.wait_word[row]!,
  }));
}

export interface Recording {
  readonly source: EventSource;
  /** Ends the recording; everything that was recorded, in ring order. */
  finish(): Promise<LiveEvent[]>;
}

export function startRecording(options: Partial<CaptureOptions>): Recording {
  const source = openNativeSource({ ...ALL, ...options });
  const events: LiveEvent[] = [];
  source.start(
    (batch) => {
      for (const event of toEvents(batch)) events.push(event);
    },
    () => {},
  );
  return {
    source,
    async finish() {
      await source.stop();
      return events;
    },
  };
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}

const running = new Set<ChildProcess>();

const PATH = `${process.env.PATH}:/usr/sbin`;

function spawnProgram(command: string, args: string[]) {
  const child = spawn(command, args, {
    stdio: ['pipe', 'pipe', 'inherit'],
    env: { ...process.env, PATH },
  });
  running.add(child);
  child.once('exit', () => running.delete(child));
  return child;
}

/** Starts a program and waits until it prints a line (a server: when it listens). */
export async function startProgram(command: string, args: string[]): Promise<ChildProcess> {
  const child = spawnProgram(command, args);
  for await (const _ of createInterface(child.stdout)) break;
  return child;
}

/** Starts a server that says nothing and waits until it answers a request. */
export async function startServer(command: string, args: string[], port: number): Promise<void> {
  const child = spawnProgram(command, args);
  const curl = ['-sf', '--noproxy', '*', `http://127.0.0.1:${port}/`];
  for (;;) {
    if (child.exitCode !== null) throw new Error(`${command} ended with ${child.exitCode}`);
    try {
      await runProgram('curl', curl);
      return;
    } catch {
      await sleep(50);
    }
  }
}

/** Runs a program to its end. @returns what it printed */
export async function runProgram(command: string, args: string[]): Promise<string> {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'], timeout: 20_000 });
  let output = '';
  child.stdout.on('data', (chunk) => {
    output += chunk;
  });
  const [code] = await once(child, 'close');
  if (code !== 0) throw new Error(`${command} ${args.join(' ')} ended with ${code}`);
  return output;
}

/** Ends what startProgram() started. */
export async function stopPrograms(): Promise<void> {
  for (const child of [...running]) {
    child.kill('SIGKILL');
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  }
}

/** True when the tool is installed; says so loudly when it is not. */
export function hasTool(tool: string): boolean {
  const found = PATH.split(':').some((directory) => existsSync(`${directory}/${tool}`));
  if (!found) console.warn(`SKIPPED: live recorder with ${tool}: it is not installed`);
  return found;
}

/** Waits for what the kernel does behind a program's back, such as the last state changes of a socket. */
export async function settle(): Promise<void> {
  await sleep(60);
}

export interface Endpoint {
  readonly connection: bigint;
  readonly described: LiveEvent;
  readonly events: readonly LiveEvent[];
}

/** Both ends of the connections to `port`, joined by the client's port. */
export function endpoints(events: readonly LiveEvent[], port: number) {
  const all = events
    .filter((event) => event.kind === EventKind.connection)
    .filter((event) => event.localPort === port || event.remotePort === port)
    .map((described) => ({
      connection: described.connection,
      described,
      events: events.filter((event) => event.connection === described.connection),
    }));
  return all
    .filter(({ described }) => described.remotePort === port)
    .map((client) => ({
      client,
      server: all.find(
        ({ described }) =>
          described.localPort === port && described.remotePort === client.described.localPort,
      ),
    }));
}

export function ofKind(end: Endpoint | undefined, kind: number): LiveEvent[] {
  return (end?.events ?? []).filter((event) => event.kind === kind);
}

/** Bytes moved, as [first, end) relative to the first one; throws where calls do not follow each other. */
function extent(calls: readonly LiveEvent[]): { first: number; end: number } {
  const moved = calls.filter((call) => call.bytes > 0 && !(call.flags & EventFlag.peek));
  const first = moved[0]?.sequence ?? 0;
  let end = first;
  for (const call of moved) {
    expect(call.sequence).toBe(end);
    end = (call.sequence + call.bytes) >>> 0;
  }
  return { first, end };
}

/** Every byte of one direction was sent and received at the same sequence numbers, without a hole. */
export function expectSameStream(sender: Endpoint | undefined, receiver: Endpoint | undefined) {
  const sent = extent(ofKind(sender, EventKind.send));
  expect(extent(ofKind(receiver, EventKind.receive))).toEqual(sent);
  expect(sent.end).not.toBe(sent.first);
}

/** Start lines of the message heads in these calls; a head may be spread over several calls. */
export function startLines(calls: readonly LiveEvent[]): string[] {
  const heads: string[] = [];
  for (const call of calls) {
    if (call.flags & EventFlag.head) heads.push('');
    if (heads.length > 0) heads[heads.length - 1] += call.payload;
  }
  return heads.map((head) => head.split('\r\n', 1)[0] ?? '');
}
