import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { has } from '../../fixtures/host.mjs';
import { startRecorder } from '../../fixtures/record-shop.mjs';

/** What one run of a recorder leaves. */
export interface Leavings {
  /** Records that it says it lost. */
  readonly lost: number;
  /** What it wrote to disk. */
  readonly bytes: number;
  /** Its greatest resident size, bytes; 0 where there is no process of its own. */
  readonly peak: number;
}

/** A recorder at work. */
interface Running {
  stop(): Promise<Leavings>;
}

/** One way to watch the services, compared with nothing. */
export interface Arm {
  readonly name: string;
  /** Which front of the bed the load goes through. */
  readonly front: 'plain' | 'agent' | 'twin';
  /** The arm it is compared with. */
  readonly against: 'nothing' | 'nothing, of the agent’s age';
  /** Starts it, recording into an empty directory. @param ports of the four hops */
  start(directory: string, ports: readonly number[]): Promise<Running>;
}

function bytesBelow(directory: string): number {
  return readdirSync(directory).reduce(
    (sum, name) => sum + statSync(join(directory, name)).size,
    0,
  );
}

function peakOf(child: ChildProcess): number {
  const status = readFileSync(`/proc/${child.pid}/status`, 'utf8');
  return Number(/VmHWM:\s+(\d+)/.exec(status)?.[1] ?? 0) * 1024;
}

const NOTHING: Running = { stop: async () => ({ lost: 0, bytes: 0, peak: 0 }) };

/** Sum of the counts behind LOST in the recorder's last line. */
function lostOf(log: string): number {
  const last = log.slice(log.lastIndexOf('recorded '));
  const lost = /LOST (.*)/.exec(last)?.[1] ?? '';
  const counts = [...lost.matchAll(/ ([\d,]+)/g)].map(([, text]) => text!.replaceAll(',', ''));
  return counts.reduce((sum, count) => sum + Number(count), 0);
}

/** `aftertrace record` with these flags. */
function aftertrace(name: string, args: readonly string[]): Arm {
  return {
    name,
    front: 'plain',
    against: 'nothing',
    async start(directory) {
      const recorder = startRecorder(directory, [...args]);
      await recorder.ready;
      return {
        async stop() {
          const peak = peakOf(recorder.child);
          const { code, log } = await recorder.stop();
          if (code !== 130) throw new Error(`the recorder ended with ${code}: ${log}`);
          return { lost: lostOf(log), bytes: bytesBelow(directory), peak };
        },
      };
    },
  };
}

/** A program that records until SIGINT; `lost` reads its last words. */
function external(
  name: string,
  command: (directory: string, ports: readonly number[]) => [string, string[]],
  lost: (output: string) => number,
): Arm {
  return {
    name,
    front: 'plain',
    against: 'nothing',
    async start(directory, ports) {
      mkdirSync(directory, { recursive: true });
      const [program, args] = command(directory, ports);
      const child = spawn(program, args, { stdio: ['ignore', 'ignore', 'pipe'] });
      let output = '';
      child.stderr.on('data', (data) => {
        output += data;
      });
      const ended = new Promise((resolve) => child.once('exit', resolve));
      await sleep(2500);
      if (child.exitCode !== null) throw new Error(`${name} ended at once: ${output.trim()}`);
      return {
        async stop() {
          const peak = peakOf(child);
          child.kill('SIGINT');
          await ended;
          return { lost: lost(output), bytes: bytesBelow(directory), peak };
        },
      };
    },
  };
}

const tcpdump = external(
  'tcpdump -s 0',
  (directory, ports) => [
    'tcpdump',
    [
      '-i',
      'lo',
      '-s',
      '0',
      '-B',
      '16384',
      '-Z',
      'root',
      '-w',
      join(directory, 'capture.pcap'),
    ].concat(ports.map((port) => `tcp port ${port}`).join(' or ')),
  ],
  (output) => Number(/(\d+) packets dropped by kernel/.exec(output)?.[1] ?? 0),
);

/** Every read and write of the host with its first 64 bytes, as one would trace by hand. */
const BPFTRACE = `
tracepoint:syscalls:sys_enter_read, tracepoint:syscalls:sys_enter_write { @buffer[tid] = (uint64)args->buf; }
tracepoint:syscalls:sys_enter_recvfrom { @buffer[tid] = (uint64)args->ubuf; }
tracepoint:syscalls:sys_enter_sendto { @buffer[tid] = (uint64)args->buff; }
tracepoint:syscalls:sys_enter_writev { @buffer[tid] = *(uint64 *)(args->vec); }
tracepoint:syscalls:sys_exit_read, tracepoint:syscalls:sys_exit_write, tracepoint:syscalls:sys_exit_recvfrom,
tracepoint:syscalls:sys_exit_sendto, tracepoint:syscalls:sys_exit_writev
/@buffer[tid] && comm != "bpftrace"/ {
  if (args->ret > 0) { printf("%lld %d %d %lld %r\\n", nsecs, pid, tid, args->ret, buf(@buffer[tid], 64)); }
  delete(@buffer[tid]);
}`;

const bpftrace = external(
  'bpftrace, prints reads and writes',
  (directory) => ['bpftrace', ['-o', join(directory, 'events.txt'), '-e', BPFTRACE]],
  (output) => Number(/Lost (\d+) events/.exec(output)?.[1] ?? 0),
);

const sysdig = external(
  'sysdig',
  (directory) => ['sysdig', ['--modern-bpf', '-w', join(directory, 'capture.scap')]],
  () => 0,
);

function front(name: string, which: 'plain' | 'agent' | 'twin', against: Arm['against']): Arm {
  return { name, front: which, against, start: async () => NOTHING };
}

/** bpftrace finds its tracepoints in tracefs, which not every host has mounted. */
function mountTracefs(): string | undefined {
  if (existsSync('/sys/kernel/tracing/events')) return undefined;
  const mounted = spawnSync('mount', ['-t', 'tracefs', 'tracefs', '/sys/kernel/tracing']);
  return mounted.status === 0 ? undefined : 'tracefs is not mounted and cannot be';
}

function sysdigFails(): string | undefined {
  const probe = spawnSync('timeout', ['5', 'sysdig', '--modern-bpf', '-n', '1'], {
    encoding: 'utf8',
  });
  if (probe.status === 0) return undefined;
  return `does not run here: ${probe.stderr.trim().split('\n')[0]}`;
}

const CHECKS: Readonly<Record<string, () => string | undefined>> = {
  tcpdump: () => undefined,
  bpftrace: mountTracefs,
  sysdig: sysdigFails,
};

/** Why an arm cannot run on this machine; undefined if it can. */
function absence(arm: Arm): string | undefined {
  const program = arm.name.split(/[ ,]/)[0]!;
  const check = CHECKS[program];
  if (check === undefined) return undefined;
  return has(program) ? check() : 'not installed';
}

/**
 * All arms in the order in which they are printed; the first is what the others are compared with.
 *
 * @param withAgent whether the bed has fronts for the OpenTelemetry agent and its twin
 */
export function chooseArms(withAgent: boolean): {
  arms: Arm[];
  absent: [name: string, why: string][];
} {
  const all: Arm[] = [
    front('nothing', 'plain', 'nothing'),
    aftertrace('aftertrace', ['--hints', 'none', '--tls', 'off']),
    aftertrace('aftertrace, TLS and hints', []),
    tcpdump,
    bpftrace,
    sysdig,
  ];
  if (withAgent) {
    all.push(front('nothing, of the agent’s age', 'twin', 'nothing, of the agent’s age'));
    all.push(front('OpenTelemetry in Node', 'agent', 'nothing, of the agent’s age'));
  }
  const absent = all.flatMap((arm): [string, string][] => {
    const why = absence(arm);
    return why === undefined ? [] : [[arm.name, why]];
  });
  const names = new Set(absent.map(([name]) => name));
  return { arms: all.filter(({ name }) => !names.has(name)), absent };
}

const AGENT = '@opentelemetry/auto-instrumentations-node@0.81.2';

/**
 * OpenTelemetry's zero-code agent for Node, put into a directory of its own: it is no dependency
 * of this project. @returns what Node is started with, or why it cannot be had
 */
export function installAgent(
  directory: string,
): { args: string[]; env: Record<string, string> } | string {
  mkdirSync(directory, { recursive: true });
  try {
    execFileSync(
      'npm',
      [
        'install',
        '--no-audit',
        '--no-fund',
        '--prefix',
        directory,
        AGENT,
        '@opentelemetry/api@1.9.0',
      ],
      {
        stdio: 'pipe',
      },
    );
  } catch (error) {
    return `npm could not install ${AGENT}: ${(error as Error).message.split('\n')[0]}`;
  }
  const register = join(
    directory,
    'node_modules/@opentelemetry/auto-instrumentations-node/build/src/register.js',
  );
  return {
    args: ['--require', register],
    env: {
      OTEL_SERVICE_NAME: 'front',
      OTEL_TRACES_EXPORTER: 'otlp',
      OTEL_METRICS_EXPORTER: 'none',
      OTEL_LOGS_EXPORTER: 'none',
      OTEL_NODE_RESOURCE_DETECTORS: 'env,host,os,process',
    },
  };
}

/** Empties and makes a directory. */
export function freshDirectory(path: string): string {
  rmSync(path, { recursive: true, force: true });
  mkdirSync(path, { recursive: true, mode: 0o700 });
  return path;
}
