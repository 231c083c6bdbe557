// What processes of several runtimes tell of whose work a call is, against what they say themselves.
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdtempSync, openSync, readFileSync, readSync, rmSync } from 'node:fs';
import { Agent, get } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, expect, it, vi } from 'vitest';
import { EventFlag, EventKind } from '../../src/model/event.js';
import { HINT_NAMES, type HintName, hintBits } from '../../src/model/hints.js';
import { HintedProcesses } from '../../src/recorder/hints.js';
import { goroutineProbeOf, loopProbesOf, postProbesOf } from '../../src/recorder/native-source.js';
import {
  describeLive,
  freePort,
  hasTool,
  type LiveEvent,
  settle,
  startProgram,
  startRecording,
  stopPrograms,
} from './live.js';

const program = (name: string) => fileURLToPath(new URL(`programs/${name}`, import.meta.url));

const FUTEX = 202;

/** bpf/events.h: numbers of async roots begin here. */
const TASK_UNKNOWN = 0x80000000;

/** Newer releases send what fetch() asks for outside of its async function where a connection was idle. */
const hasAsyncRoots = process.versions.node.startsWith('20.');
if (!hasAsyncRoots)
  console.warn(`SKIPPED: async roots: Node 20 is needed, this is ${process.version}`);

/** One request after the other on `connections` keep-alive connections. */
async function load(
  port: number,
  requests: number,
  connections: number,
  path = '/',
): Promise<void> {
  const agent = new Agent({ keepAlive: true, maxSockets: connections });
  const one = () =>
    new Promise<void>((resolve, reject) => {
      get({ port, host: '127.0.0.1', path, agent }, (response) => {
        if (response.statusCode !== 200) reject(new Error(`answered ${response.statusCode}`));
        response.resume().once('end', resolve);
      }).once('error', reject);
    });
  const worker = async () => {
    for (let i = 0; i < requests / connections; i++) await one();
  };
  await Promise.all(Array.from({ length: connections }, worker));
  agent.destroy();
}

interface Service {
  readonly pid: number;
  readonly port: number;
  readonly backend: number;
}

async function startService(command: string, args: string[]): Promise<Service> {
  const backend = await freePort();
  await startProgram('node', [program('backend.mjs'), String(backend)]);
  const port = await freePort();
  const { pid } = await startProgram(command, [...args, String(port), String(backend)]);
  return { pid: pid!, port, backend };
}

/** What a service records under load, after it was warmed up. */
async function record(
  { pid, port, backend }: Service,
  hints: readonly HintName[],
): Promise<LiveEvent[]> {
  await load(port, 100, 4);
  const recording = startRecording({ hints: hintBits(hints), ports: [port, backend] });
  new HintedProcesses(recording.source, hints).read(pid);
  await load(port, 400, 4);
  await settle();
  return (await recording.finish()).filter((event) => event.pid === pid);
}

/** Whether a process has a breakpoint (int3) at each place where turns of its loop would be probed. */
function breakpoints(pid: number): boolean[] {
  const maps = readFileSync(`/proc/${pid}/maps`, 'utf8').split('\n');
  const code = maps.find((line) => / r-xp .*\/libc\.so\.6$/.test(line))!;
  const [range, , offset, , , path] = code.split(/\s+/);
  const start = Number.parseInt(range!.split('-')[0]!, 16) - Number.parseInt(offset!, 16);
  const probes = loopProbesOf(path!);
  expect(probes.length).toBeGreaterThan(0);
  const memory = openSync(`/proc/${pid}/mem`, 'r');
  try {
    const byte = Buffer.alloc(1);
    return probes.map((at) => {
      readSync(memory, byte, 0, 1, start + at);
      return byte[0] === 0xcc;
    });
  } finally {
    closeSync(memory);
  }
}

/** The byte of a program's code, at this offset of its file, as it is in memory. */
function byteAt(pid: number, offset: number): number {
  const maps = readFileSync(`/proc/${pid}/maps`, 'utf8').split('\n');
  const [range, , from] = maps.find((line) => / r-xp /.test(line))!.split(/\s+/);
  const memory = openSync(`/proc/${pid}/mem`, 'r');
  try {
    const byte = Buffer.alloc(1);
    const start = Number.parseInt(range!.split('-')[0]!, 16) - Number.parseInt(from!, 16);
    readSync(memory, byte, 0, 1, start + offset);
    return byte[0]!;
  } finally {
    closeSync(memory);
  }
}

/** Building the library of a fresh installation takes long. */
async function buildGo(binary: string, flags: readonly string[] = []): Promise<void> {
  const args = ['build', ...flags, '-o', binary, program('goroutines.go')];
  const go = spawn('go', args, { stdio: 'inherit' });
  const [code] = await once(go, 'close');
  if (code !== 0) throw new Error(`go build ended with ${code}`);
}

/** True where the installed Go is one whose runtime does not keep who started a goroutine. */
function keepsNoParents(): boolean {
  const { stdout } = spawnSync('go', ['version'], { encoding: 'utf8' });
  return /go1\.(19|20)\b/.test(stdout ?? '');
}

/** The calls of a recording: sends of a request, with the number its URL gives under `key`. */
function callsOf(events: readonly LiveEvent[], key: string) {
  return events
    .filter(({ kind, payload }) => kind === EventKind.send && payload.startsWith('GET /call'))
    .map((event) => ({
      event,
      truth: Number(new RegExp(`[?&]${key}=(\\d+)`).exec(event.payload)?.[1]),
    }));
}

/** Compilers and virtual machines start, also where other tests run beside them. */
const PATIENCE_MS = 300_000;

describeLive('hints', () => {
  vi.setConfig({ testTimeout: PATIENCE_MS });
  let directory: string;
  beforeAll(() => {
    directory = mkdtempSync(join(tmpdir(), 'aftertrace-hints-'));
  });
  afterAll(() => rmSync(directory, { recursive: true }));
  afterEach(stopPrograms);

  it.runIf(hasTool('java'))(
    'Java: the thread that leased a connection is the handler’s',
    async () => {
      const service = await startService('java', [program('Leases.java')]);
      const events = await record(service, ['lease']);
      const calls = callsOf(events, 'thread');
      expect(calls).toHaveLength(400);
      const leased = calls.filter(({ event }) => event.leaseTid !== 0);
      expect(leased.length).toBeGreaterThan(380);
      const right = leased.filter(({ event, truth }) => event.leaseTid === truth);
      expect(right.length / leased.length).toBeGreaterThan(0.99);
      // The sender's own thread does not tell it.
      const same = calls.filter(({ event, truth }) => event.tid === truth);
      expect(same.length).toBeLessThan(calls.length / 2);
      for (const { event } of leased) expect(event.flags & EventFlag.hints).toBeTruthy();
      expect(events.filter(({ kind }) => kind === EventKind.wake)).toEqual([]);
    },
  );

  it.runIf(hasTool('go'))(
    'Go: a call’s goroutines are the handler’s and its caller’s',
    async () => {
      const binary = join(directory, 'goroutines');
      await buildGo(binary);
      const service = await startService(binary, []);
      const events = await record(service, ['go']);
      const calls = callsOf(events, 'caller');
      expect(calls).toHaveLength(800);
      const known = calls.filter(({ event }) => event.caller !== 0);
      // Also of the first ones, when it is not known yet where the writer keeps them.
      expect(known.length).toBeGreaterThan(780);
      expect(known.filter(({ event, truth }) => event.caller === truth).length).toBeGreaterThan(
        0.99 * known.length,
      );
      // The handler's goroutine reads the request and writes the response.
      const handlers = new Set(callsOf(events, 'handler').map(({ truth }) => truth));
      const served = events.filter(({ payload }) => /^(GET \/ |HTTP\/1.1 200)/.test(payload));
      expect(served.filter(({ kind }) => kind === EventKind.send)).toHaveLength(400);
      for (const { kind, goroutine, payload } of served) {
        if (kind === EventKind.receive && payload.startsWith('HTTP')) continue;
        expect(handlers).toContain(goroutine);
      }
    },
  );

  // From Go 1.21 on the runtime tells who started a goroutine, and nothing is probed.
  it.runIf(keepsNoParents())(
    'Go before 1.21: who started a goroutine, how many there may be in between, stripped or not',
    async () => {
      const plain = join(directory, 'plain');
      const stripped = join(directory, 'stripped');
      const movable = join(directory, 'movable');
      await buildGo(plain);
      await buildGo(stripped, ['-ldflags=-s -w']);
      await buildGo(movable, ['-ldflags=-s -w', '-buildmode=pie']);
      for (const binary of [plain, stripped, movable]) {
        // A call.
        expect(readFileSync(binary)[goroutineProbeOf(binary)!]).toBe(0xe8);
      }
      expect(goroutineProbeOf(stripped)).toBe(goroutineProbeOf(plain));
      expect(goroutineProbeOf(process.execPath)).toBeUndefined();

      const service = await startService(movable, []);
      await load(service.port, 100, 4);
      const ports = [service.port, service.backend];
      const recording = startRecording({ hints: hintBits(['go']), ports });
      new HintedProcesses(recording.source, ['go']).read(service.pid);
      await load(service.port, 400, 4);
      await load(service.port, 400, 4, '/deep');
      await settle();
      const events = (await recording.finish()).filter(({ pid }) => pid === service.pid);
      const callers = callsOf(events, 'caller');
      const handlers = callsOf(events, 'handler').map(({ truth }) => truth);
      const children = callers.filter(({ truth }, i) => truth !== handlers[i]);
      expect(children).toHaveLength(800);
      const known = callers.filter(({ event }) => event.caller !== 0);
      expect(known.length).toBeGreaterThan(1560);
      for (const { event } of known) {
        const handler = handlers[callers.findIndex((other) => other.event === event)];
        expect(event.caller === handler ? event.caller : event.creator).toBe(handler);
        // Younger than a second, or not started by a handler at all.
        expect(event.leaseAge).toBeLessThan(1e9);
        if (event.caller !== handler) expect(event.leaseAge).toBeGreaterThan(0);
      }
    },
  );

  it.runIf(keepsNoParents())(
    'Go before 1.21: the probe is taken off where it costs too much',
    async () => {
      const binary = join(directory, 'burst');
      await buildGo(binary);
      const { pid, port, backend } = await startService(binary, []);
      const recording = startRecording({ hints: hintBits(['go']), ports: [port, backend] });
      new HintedProcesses(recording.source, ['go']).read(pid);
      const probe = goroutineProbeOf(binary)!;
      await load(port, 4, 4);
      await settle();
      // int3, and the call that it stands for.
      expect(byteAt(pid, probe)).toBe(0xcc);
      for (let round = 0; round < 20 && byteAt(pid, probe) === 0xcc; round++)
        await load(port, 8, 8, '/burst');
      await vi.waitFor(() => expect(byteAt(pid, probe)).toBe(0xe8), 5000);
      await recording.finish();
    },
  );

  it.runIf(hasTool('python3'))(
    'Python: a pool’s thread wakes the handler with the answer',
    async () => {
      const service = await startService('python3', [program('pool.py')]);
      const events = await record(service, ['wakes']);
      const calls = callsOf(events, 'thread');
      expect(calls).toHaveLength(400);
      let found = 0;
      for (const { event, truth } of calls) {
        const at = events.indexOf(event);
        // What the calling thread does next: read the answer, then wake the handler.
        const wakes = events
          .slice(at)
          .filter(
            ({ kind, tid }) =>
              tid === event.tid && (kind === EventKind.wake || kind === EventKind.send),
          );
        const end = wakes.findIndex(({ kind }, index) => index > 0 && kind === EventKind.send);
        const mine = end === -1 ? wakes : wakes.slice(0, end);
        if (mine.some(({ wakee, waitCall }) => wakee === truth && waitCall === FUTEX)) found++;
      }
      expect(found / calls.length).toBeGreaterThan(0.9);
      const perRequest = events.filter(({ kind }) => kind === EventKind.wake).length / 400;
      expect(perRequest).toBeLessThan(12);
    },
  );

  it.runIf(hasTool('python3'))(
    'Python: the thread that gave a pool the task which makes a call',
    async () => {
      const service = await startService('python3', [program('executor.py')]);
      const events = await record(service, ['executor']);
      const of = (kind: string) => callsOf(events, kind).filter(({ truth }) => truth > 0);
      for (const kind of ['first', 'second', 'nested', 'short']) {
        const calls = of(kind);
        expect(calls).toHaveLength(400);
        // Tasks that were given before recording began are not known.
        const known = calls.filter(({ event }) => event.leaseTid !== 0);
        expect(known.length).toBeGreaterThan(395);
        expect(known.every(({ event, truth }) => event.leaseTid === truth)).toBe(true);
        expect(known.every(({ event }) => event.leaseAge > 0)).toBe(true);
      }
      expect(of('own')).toHaveLength(400);
      expect(of('nobody').length).toBeGreaterThan(5);
      for (const { event } of [...of('own'), ...of('nobody')]) expect(event.leaseTid).toBe(0);
    },
  );

  it('asyncio: every turn of the loop, in its own process alone, and only where that kind is on', async () => {
    const service = await startService('python3', [program('loop.py')]);
    // Maps the same C library.
    const bystander = await startService('python3', [program('pool.py')]);
    await load(service.port, 100, 4);
    const recording = startRecording({
      hints: hintBits(['loop']),
      ports: [service.port, service.backend],
    });
    const processes = new HintedProcesses(recording.source, ['loop']);
    processes.read(service.pid);
    processes.read(bystander.pid);
    await load(service.port, 400, 4);
    await load(bystander.port, 40, 4);
    expect(breakpoints(service.pid).every((found) => found)).toBe(true);
    expect(breakpoints(bystander.pid).some((found) => found)).toBe(false);
    processes.forget(service.pid);
    await vi.waitFor(
      () => expect(breakpoints(service.pid).some((found) => found)).toBe(false),
      5000,
    );
    await settle();
    const events = (await recording.finish()).filter(({ pid }) => pid === service.pid);
    const turns = events.filter(({ kind }) => kind === EventKind.loop);
    expect(turns.every(({ tid }) => tid === service.pid)).toBe(true);
    // A request of this service takes two turns at least: it sleeps between what it reads and writes.
    const reads = events.filter(({ kind, bytes }) => kind === EventKind.receive && bytes > 0);
    expect(reads.length).toBeGreaterThanOrEqual(400);
    for (const read of reads.slice(0, 50)) {
      const after = events.slice(events.indexOf(read) + 1);
      const next = after.find(
        ({ kind, connection }) =>
          kind === EventKind.loop || (kind === EventKind.send && connection === read.connection),
      );
      expect(next?.kind).toBe(EventKind.loop);
    }
    expect(await record(service, ['wakes', 'lease'])).not.toContainEqual(
      expect.objectContaining({ kind: EventKind.loop }),
    );
  });

  it.runIf(hasAsyncRoots)(
    'Node: calls and answer of a request have its async root, through many collections',
    async () => {
      // So small a young generation is collected every few requests.
      const service = await startService('node', ['--max-semi-space-size=1', program('async.mjs')]);
      const events = await record(service, ['async']);
      const answers = new Map<number, LiveEvent>();
      for (const event of events) {
        const number = /^HTTP\/1.1 200[\s\S]*X-Request: (\d+)/.exec(event.payload)?.[1];
        if (number !== undefined) answers.set(Number(number), event);
      }
      expect(answers.size).toBe(400);
      const roots = new Map([...answers].map(([number, { goroutine }]) => [goroutine, number]));
      expect(roots.size).toBe(400);
      for (const { goroutine, caller } of answers.values()) {
        expect(goroutine).toBeGreaterThan(TASK_UNKNOWN);
        expect(caller).toBe(goroutine);
      }
      // http.Agent sends in ticks of its own; after closing calls there are new connections.
      for (const kind of ['branch', 'last', 'kept', 'closing', 'connecting', 'closing-fetched']) {
        const calls = callsOf(events, kind).filter(({ truth }) => answers.has(truth));
        expect(calls).toHaveLength(kind === 'branch' ? 800 : 400);
        const own = calls.filter(({ event, truth }) => roots.get(event.goroutine) === truth);
        expect(own.length / calls.length).toBeGreaterThan(0.9);
        const other = calls.filter(({ event }) => roots.has(event.goroutine));
        expect(other).toHaveLength(own.length);
      }
      const ticks = callsOf(events, 'nobody').filter(({ truth }) => truth === 0);
      expect(ticks.length).toBeGreaterThan(20);
      for (const { event } of ticks) expect(roots.has(event.goroutine)).toBe(false);
      const without = await record(service, ['lease', 'loop']);
      expect(without.every(({ goroutine }) => goroutine === 0)).toBe(true);
    },
  );

  it('asyncio: the task that makes a call, its maker, and the first of the line', async () => {
    const service = await startService('python3', [program('tasks.py')]);
    const events = await record(service, ['loop']);
    const answers = new Map<number, LiveEvent>();
    for (const event of events) {
      const number = /^HTTP\/1.1 200[\s\S]*X-Request: (\d+)/.exec(event.payload)?.[1];
      if (number !== undefined) answers.set(Number(number), event);
    }
    expect(answers.size).toBe(400);
    expect([...answers.values()].every(({ goroutine }) => goroutine !== 0)).toBe(true);
    const of = (kind: string) =>
      callsOf(events, kind)
        .filter(({ truth }) => answers.has(truth))
        .map(({ event, truth }) => ({ event, answer: answers.get(truth)! }));
    const [own, children, grandchildren] = ['own', 'child', 'grandchild'].map(of) as [
      ReturnType<typeof of>,
      ReturnType<typeof of>,
      ReturnType<typeof of>,
    ];
    expect([own.length, children.length, grandchildren.length]).toEqual([400, 800, 400]);
    for (const { event, answer } of own) expect(event.goroutine).toBe(answer.goroutine);
    for (const { event, answer } of children) expect(event.creator).toBe(answer.goroutine);
    for (const { event, answer } of grandchildren) {
      expect(event.creator).not.toBe(answer.goroutine);
      expect(event.caller).toBe(answer.caller);
    }
    const ids = new Set(children.map(({ event }) => event.goroutine));
    expect(ids.size).toBe(800);
    // A timer's calls belong to no line that answers.
    const lines = new Set([...answers.values()].map(({ caller }) => caller));
    const others = callsOf(events, 'nobody').filter(({ event }) =>
      event.payload.includes('nobody'),
    );
    expect(others.length).toBeGreaterThan(5);
    for (const { event } of others) expect(lines).not.toContain(event.caller);
  });

  it('Node: who posted what a worker takes, and when', async () => {
    expect(postProbesOf(process.execPath).refused).toBe('');
    expect(postProbesOf('/bin/sh').refused).toContain('does not export');
    const service = await startService('node', [program('workers.mjs')]);
    const ask = async (from: number, count: number) => {
      for (let at = from; at < from + count; at += 4) {
        const answers = [0, 1, 2, 3].map((i) =>
          fetch(`http://127.0.0.1:${service.port}/${at + i}`),
        );
        for (const answer of await Promise.all(answers)) expect(await answer.text()).toBe('answer');
      }
    };
    await ask(0, 100);
    const { pid, port, backend } = service;
    const recording = startRecording({ hints: hintBits(['posts']), ports: [port, backend] });
    const runtime = new HintedProcesses(recording.source, ['posts']).read(pid)!.detail.runtime;
    expect(runtime).toEqual({ name: 'node', version: '', hints: ['posts'] });
    await ask(1000, 400);
    await settle();
    const events = (await recording.finish()).filter((event) => event.pid === pid);
    const posts = events.filter(({ kind }) => kind === EventKind.post);
    // The result and the message that is waited for; the task, and the broadcast to two.
    expect(posts.filter(({ tid }) => tid === pid)).toHaveLength(800);
    expect(posts.filter(({ tid }) => tid !== pid)).toHaveLength(1200);
    expect(posts.filter(({ tid, wakee }) => tid === pid && wakee === pid)).toHaveLength(400);
    const requests = events.filter(
      ({ kind, payload }) => kind === EventKind.receive && /^GET \/\d/.test(payload),
    );
    const calls = events.filter(({ payload }) => payload.startsWith('GET /task/'));
    expect(calls).toHaveLength(400);
    let found = 0;
    for (const call of calls) {
      const taken = events.findLast(
        (event) =>
          event.kind === EventKind.post && event.tid === call.tid && event.timeNs <= call.timeNs,
      );
      expect(taken?.wakee).toBe(pid);
      const postedAt = taken!.timeNs - taken!.waitWord;
      const cause = requests.findLast(({ timeNs }) => timeNs <= postedAt);
      if (call.payload.startsWith(`GET /task${/\/\d+/.exec(cause?.payload ?? '')?.[0]} `)) found++;
    }
    // A call that has to wait for a new connection is sent in a later turn.
    expect(found / calls.length).toBeGreaterThan(0.95);
  });

  it('gives none for Node without messages, whose calls need none', async () => {
    const port = await freePort();
    const { pid } = await startProgram('node', [program('backend.mjs'), String(port)]);
    const service = { pid: pid!, port, backend: port };
    const events = await record(service, HINT_NAMES);
    expect(events.filter(({ kind }) => kind === EventKind.send)).not.toHaveLength(0);
    expect(events.filter(({ flags }) => flags & EventFlag.hints)).toEqual([]);
    const hints: readonly number[] = [EventKind.wake, EventKind.loop, EventKind.post];
    expect(events.filter(({ kind }) => hints.includes(kind))).toEqual([]);
  });
});
