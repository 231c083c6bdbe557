import type { Batch } from '../model/batch.js';
import { CodedError, type ErrorCode } from '../model/errors.js';
import { LossCause } from '../model/event.js';
import { type HintName, type HintRefusals, hintBits } from '../model/hints.js';
import type { Capture } from '../model/segment.js';
import { loadAddon } from '../native/addon.js';
import { callName } from './call-names.js';
import type { GoLayout } from './go-layout.js';
import { tlsLack } from './platform.js';
import { type PolicyLists, policyLists, type RedactionPolicy } from './redaction-policy.js';
import {
  CAPTURE_LIMITS,
  type CaptureOptions,
  type ClockReading,
  type EventSource,
  type SourceInfo,
  type SourceStats,
  type StreamGap,
  type Throttle,
  type TlsState,
} from './source.js';

/** What the C side believes about records and columns; see native/layout.h. */
export interface NativeLayout {
  readonly constants: Readonly<Record<string, number>>;
  readonly structs: Readonly<
    Record<string, { readonly size: number; readonly fields: Readonly<Record<string, number>> }>
  >;
  readonly columns: readonly { readonly name: string; readonly type: string }[];
}

interface NativeStats {
  readonly produced: number;
  readonly runTimeNs: number;
  readonly sampled: number;
  readonly cutHeads: number;
  readonly undescribed: number;
  /** By number of the system call. */
  readonly unreadableCalls: Readonly<Record<string, number>>;
  readonly events: number;
  readonly batches: number;
  readonly queuedBatches: number;
  readonly ringUsedBytes: number;
  readonly refused: number;
  readonly ringFull: number;
  readonly payloadUnreadable: number;
  readonly socketState: number;
  readonly tlsUnjoined: number;
  readonly recursion: number;
}

interface NativeSource {
  readonly info: {
    readonly monotonicOffsetNs: bigint;
    readonly ringBytes: number;
    readonly capture: Capture;
  };
  start(onBatch: (batch: Batch) => void, onBeat: () => void): void;
  stats(): NativeStats;
  takeGaps(): StreamGap[];
  throttle(knobs: Throttle): void;
  setHints(pid: number, kinds: number, go?: GoLayout): HintRefusals;
  pauseHints(paused: boolean): void;
  tls(): TlsState | undefined;
  stop(): Promise<void>;
  close(): void;
}

type NativeOptions = Omit<CaptureOptions, 'redaction'> & {
  readonly redaction: PolicyLists | undefined;
};

function toNative(options: CaptureOptions): NativeOptions {
  const { redaction } = options;
  return {
    ...options,
    redaction: redaction === undefined ? undefined : policyLists(redaction),
  };
}

/** One probe that would be set into a TLS library. */
export interface TlsProbe {
  readonly program: 'call' | 'result' | 'forget';
  /** Where in the file, bytes. */
  readonly offset: number;
  /** What the function is: see bpf/lib/tls-state.h. */
  readonly cookie: number;
  /** True at an instruction that the kernel emulates. */
  readonly cheap: boolean;
}

/** Where posted messages would be probed in Node, as file offsets; or why they would not be. */
interface PostProbes {
  readonly posted: number;
  readonly taken: number;
  /** '' if they would be. */
  readonly refused: string;
}

interface NativeAddon {
  readonly Source: new (options: NativeOptions) => NativeSource;
  layout(): NativeLayout;
  clocks(): ClockReading;
  recognise(bytes: Uint8Array, moved: number, known: string, datagram: boolean): string;
  limitCapabilities(kept: bigint): string;
  redact(policy: PolicyLists, batches: readonly Batch[]): void;
  goroutineProbe(path: string): number | undefined;
  loopProbes(path: string): readonly number[];
  postProbes(path: string): PostProbes;
  tlsProbes(path: string, all: boolean): readonly TlsProbe[];
  returnProbesAreSafe(): boolean;
}

function loadSource(): NativeAddon {
  return loadAddon() as NativeAddon;
}

/** Turns what the addon throws ({ code, message, remedy }) into the error of the house. */
function codedError(error: unknown): unknown {
  if (!(error instanceof Error) || !('remedy' in error) || !('code' in error)) return error;
  const message = error.message.trimEnd();
  return new CodedError(
    error.code as ErrorCode,
    /[.!?]$/.test(message) ? message : `${message}.`,
    '',
    String(error.remedy),
    error,
  );
}

function requireRange(name: string, value: number, least: number, most: number): void {
  if (Number.isInteger(value) && value >= least && value <= most) return;
  throw new CodedError('USAGE', `${value} is not a whole number from ${least} to ${most}.`, name);
}

function checkOptions(options: CaptureOptions): void {
  const { snaplen, ringBytes, values } = CAPTURE_LIMITS;
  requireRange('snaplen', options.snaplen, 0, snaplen);
  requireRange('ring size', options.ringBytes, ringBytes.least, ringBytes.most);
  for (const port of options.ports) requireRange('port', port, 1, 65535);
  for (const pid of options.pids) requireRange('pid', pid, 1, 2 ** 22);
  for (const list of [options.pids, options.names, options.cgroups]) {
    requireRange('number of filter values', list.length, 0, values);
  }
  for (const name of options.names) {
    if (name !== '' && !name.includes('\0')) continue;
    throw new CodedError('USAGE', 'a process name must not be empty.', 'process name');
  }
}

function nameCalls(byNumber: NativeStats['unreadableCalls']): Record<string, number> {
  const named = Object.entries(byNumber).map(([call, count]): [string, number] => [
    callName(Number(call)),
    count,
  ]);
  return Object.fromEntries(named);
}

function toStats(stats: NativeStats): SourceStats {
  return {
    produced: stats.produced,
    events: stats.events,
    dropped: {
      [LossCause.ringFull]: stats.ringFull,
      [LossCause.recursion]: stats.recursion,
      [LossCause.refused]: stats.refused,
      // What JavaScript is too slow for waits in the ring, and is lost there if it is lost.
      [LossCause.backpressure]: 0,
      [LossCause.payloadUnreadable]: stats.payloadUnreadable,
      [LossCause.socketState]: stats.socketState,
      [LossCause.unknownSocket]: stats.undescribed,
      [LossCause.snapLength]: stats.cutHeads,
      [LossCause.budgetSample]: stats.sampled,
      [LossCause.tlsUnjoined]: stats.tlsUnjoined,
    },
    unreadableCalls: nameCalls(stats.unreadableCalls),
    ringUsedBytes: stats.ringUsedBytes,
    batches: stats.batches,
    queuedBatches: stats.queuedBatches,
    runTimeNs: stats.runTimeNs,
  };
}

/** Runs `action`, turning errors of the addon into {@link CodedError}s. */
function withCodedErrors<T>(action: () => T): T {
  try {
    return action();
  } catch (error) {
    throw codedError(error);
  }
}

/** What a callback of an addon throws Node only warns about: thrown again later, it counts. */
function rethrowing<T extends unknown[]>(callback: (...args: T) => void): (...args: T) => void {
  return (...args) => {
    try {
      callback(...args);
    } catch (error) {
      setImmediate(() => {
        throw error;
      });
    }
  };
}

/**
 * Loads the kernel programs; nothing is recorded before start().
 * The programs vanish with stop(), with the process, and with the worker thread that opened them.
 *
 * @throws CodedError USAGE for options out of range, PRIVILEGE when loading is not permitted,
 *   UNSUPPORTED when this machine cannot record
 */
export function openNativeSource(options: CaptureOptions): EventSource {
  checkOptions(options);
  const addon = loadSource();
  const native = withCodedErrors(() => new addon.Source(toNative(options)));
  const info: SourceInfo = {
    monotonicOffsetNs: native.info.monotonicOffsetNs,
    capture: native.info.capture,
    snaplen: options.snaplen,
    ringBytes: native.info.ringBytes,
    redacted: options.redaction !== undefined,
  };
  // process.exit() runs no destructors: the programs are detached before, not by the kernel after.
  const close = () => native.close();
  return {
    info,
    start(onBatch, onBeat) {
      withCodedErrors(() => native.start(rethrowing(onBatch), rethrowing(onBeat)));
      process.once('exit', close);
    },
    stats: () => toStats(native.stats()),
    takeGaps: () => native.takeGaps(),
    clocks: () => addon.clocks(),
    throttle: (knobs) => native.throttle(knobs),
    setHints: (pid, kinds, go) => native.setHints(pid, kinds, go),
    pauseHints: (paused) => native.pauseHints(paused),
    tls: () => native.tls(),
    async stop() {
      await native.stop();
      process.off('exit', close);
    },
  };
}

/** Bits of linux/capability.h. */
const CAPABILITY = { SYS_PTRACE: 1n << 19n, PERFMON: 1n << 38n, BPF: 1n << 39n } as const;

/**
 * Gives up every capability that recording does not need any more, in all threads and for good: all but
 * CAP_SYS_PTRACE, which names the executables of other users' processes, and those that attach programs.
 *
 * @param attaches true if programs are attached later: to executables, or for hints
 * @returns what went wrong, '' if nothing
 */
export function giveUpCapabilities(attaches: boolean): string {
  const attach = attaches ? CAPABILITY.PERFMON | CAPABILITY.BPF : 0n;
  return loadSource().limitCapabilities(CAPABILITY.SYS_PTRACE | attach);
}

export type Availability =
  | { readonly ok: true; readonly capture: Capture }
  | { readonly ok: false; readonly reason: string; readonly remedy: string };

/** Whether this process can record here, with these hints: really loads the programs and lets go of them. */
export function nativeAvailable(
  hints: readonly HintName[] = [],
  capture: Capture | 'auto' = 'auto',
): Availability {
  try {
    const addon = loadSource();
    const least = CAPTURE_LIMITS.ringBytes.least;
    const options = {
      snaplen: 0,
      ringBytes: least,
      ports: [],
      pids: [],
      names: [],
      cgroups: [],
      hints: hintBits(hints),
      capture,
    };
    const source = withCodedErrors(() => new addon.Source(toNative(options)));
    const { info } = source;
    source.close();
    return { ok: true, capture: info.capture };
  } catch (error) {
    if (!(error instanceof CodedError)) throw error;
    return { ok: false, reason: error.message, remedy: error.remedy };
  }
}

/** Masks batches one after the other, in place, as the recorder does: for the tests. */
export function redactNatively(policy: RedactionPolicy, batches: readonly Batch[]): void {
  loadSource().redact(policyLists(policy), batches);
}

/**
 * Names the first bytes of a turn as the recorder does: "protocol OPERATION", for the tests.
 *
 * @param moved bytes that the call moved, at least those at hand
 * @param known what the connection was found to speak before, '' if nothing
 */
export function recogniseNatively(
  bytes: Uint8Array,
  moved: number,
  known = '',
  datagram = false,
): string {
  return loadSource().recognise(bytes, moved, known, datagram);
}

/**
 * Why TLS libraries must not be probed on this host, '' where they may be.
 *
 * @throws CodedError UNSUPPORTED without the addon
 */
export function tlsHazard(): string {
  const lack = tlsLack(process.arch);
  if (lack !== '' || loadSource().returnProbesAreSafe()) return lack;
  return 'this kernel kills processes under seccomp that return from a probed function: plaintext of TLS is not recorded.';
}

/**
 * The probes that a file would get, empty for anything that is no TLS library.
 *
 * @param all look into the full symbol table too, as for main programs
 */
export function tlsProbesOf(path: string, all: boolean): readonly TlsProbe[] {
  return loadSource().tlsProbes(path, all);
}

/**
 * Where turns of event loops would be probed in a C library, as file offsets; empty for anything else.
 *
 * @throws CodedError UNSUPPORTED without the addon
 */
export function loopProbesOf(path: string): readonly number[] {
  return loadSource().loopProbes(path);
}

/**
 * Where messages that Node's threads post to each other would be probed in a program or library.
 *
 * @throws CodedError UNSUPPORTED without the addon
 */
export function postProbesOf(path: string): PostProbes {
  return loadSource().postProbes(path);
}

/**
 * Where goroutines would be seen to start in a Go program, as file offset; undefined where they would not be.
 *
 * @throws CodedError UNSUPPORTED without the addon
 */
export function goroutineProbeOf(path: string): number | undefined {
  return loadSource().goroutineProbe(path);
}

/** The C side's view of the wire contract. @throws CodedError UNSUPPORTED without the addon */
export function nativeLayout(): NativeLayout {
  return loadSource().layout();
}
