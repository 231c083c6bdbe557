import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { type Bed, driveCommand } from '../../fixtures/bed.mjs';
import { type Arm, freshDirectory, type Leavings } from './arms.js';
import type { CpuGroup } from './cpu-group.js';

/** What one run shows. */
export interface Run extends Leavings {
  /** End-user requests, and how many of them failed. */
  readonly sent: number;
  readonly failed: number;
  readonly perSecond: number;
  /** Latency at the driver, ms. */
  readonly p50: number;
  readonly p99: number;
  /** CPU of all services and the recorder per request, ms. */
  readonly cpu: number;
  /** CPU of the recorder's own process per request, ms. */
  readonly recorderCpu: number;
  /** Bytes on disk per request, warm-up included. */
  readonly bytesEach: number;
}

interface Driven {
  readonly sent: number;
  readonly failed: number;
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

/** Before each measured run, under the same load: a recorder runs always, its start is no part of the claim. */
const WARM_UP_SECONDS = 3;
const CONNECTIONS = { open: 64, closed: 16 } as const;

/** What rounds are run with. */
export interface RoundsOptions {
  readonly bed: Bed;
  readonly groups: Readonly<Record<'services' | 'recorder' | 'driver', CpuGroup>>;
  /** For what recorders write. */
  readonly directory: string;
  /** Of a measured run, s; and requests a second. */
  readonly load: { readonly seconds: number; readonly rate: number };
}

/** Runs the bed under load, one arm after the other. */
export class Rounds {
  readonly #options: RoundsOptions;

  constructor(options: RoundsOptions) {
    this.#options = options;
  }

  /** Load through one front that nobody counts. */
  async warmUp(front: Arm['front'], seconds: number): Promise<void> {
    await this.#drive(front, seconds, this.#options.load.rate, 99);
  }

  /** One run of an arm after a warm-up. @param rate requests a second; 0 is a closed loop */
  async run(arm: Arm, seed: number, rate = this.#options.load.rate): Promise<Run> {
    const { groups, bed, directory, load } = this.#options;
    const records = freshDirectory(join(directory, 'records'));
    const ports = bed.ports[arm.front]!;
    const running = await groups.recorder.run(() => arm.start(records, ports));
    const warm = await this.#drive(arm.front, WARM_UP_SECONDS, rate, seed + 10_000);
    const before = [groups.services.seconds(), groups.recorder.seconds()] as const;
    const driven = await this.#drive(arm.front, load.seconds, rate, seed);
    const services = groups.services.seconds() - before[0];
    const recorder = groups.recorder.seconds() - before[1];
    const left = await running.stop();
    return {
      ...left,
      sent: driven.sent,
      failed: driven.failed,
      perSecond: driven.perSecond,
      p50: driven.p50Ms,
      p99: driven.p99Ms,
      cpu: ((services + recorder) / driven.sent) * 1000,
      recorderCpu: (recorder / driven.sent) * 1000,
      bytesEach: left.bytes / (warm.sent + driven.sent),
    };
  }

  /** The driver has a group of its own: what it needs is no cost of anything. */
  async #drive(front: Arm['front'], seconds: number, rate: number, seed: number): Promise<Driven> {
    const { groups, bed } = this.#options;
    const connections = rate > 0 ? CONNECTIONS.open : CONNECTIONS.closed;
    const port = bed.ports[front]![0]!;
    const [program, args] = driveCommand({ port, seconds, rate, connections, seed });
    const child = await groups.driver.run(() =>
      spawn(program, args, { stdio: ['ignore', 'pipe', 'inherit'] }),
    );
    let output = '';
    child.stdout.on('data', (data) => {
      output += data;
    });
    const code = await new Promise((resolve) => child.once('exit', resolve));
    if (code !== 0) throw new Error(`the load driver ended with ${code}`);
    return JSON.parse(output);
  }
}
