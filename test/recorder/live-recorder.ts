// A real recorder in a process of its own, and real traffic for it, on one port.

import { once } from 'node:events';
import { Agent, createServer, get } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach } from 'vitest';
import { EventKind } from '../../src/model/event.js';
import { type RunningCli, startCli } from '../cli/run-cli.js';
import { readAllRows, type StoredRow } from './read-rows.js';

export interface Load {
  readonly port: number;
  /** Responses so far. */
  readonly answered: () => number;
  stop(): Promise<void>;
}

/** A server, and a client that asks it every few milliseconds over kept and new connections. */
async function startLoad(): Promise<Load> {
  const server = createServer((request, response) => response.end(`you asked ${request.url}`));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  const { port } = address;
  const keepAlive = new Agent({ keepAlive: true, maxSockets: 4 });
  let asked = 0;
  let answered = 0;
  const ask = () => {
    const agent = ++asked % 10 === 0 ? {} : { agent: keepAlive };
    const request = get({ host: '127.0.0.1', port, path: `/item/${asked}`, ...agent });
    request.on('response', (response) => {
      response.resume().on('end', () => {
        answered++;
      });
    });
    // The server drops what is under way when the load stops.
    request.on('error', () => {});
  };
  const timer = setInterval(ask, 5);
  const stop = async () => {
    clearInterval(timer);
    keepAlive.destroy();
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  };
  return { port, answered: () => answered, stop };
}

/** Starts things that must not outlive their test. */
export function useLiveRecorders() {
  const loads: Load[] = [];
  const recorders: RunningCli[] = [];
  afterEach(async () => {
    for (const { child, result } of recorders.splice(0)) {
      child.kill('SIGKILL');
      await result;
    }
    for (const load of loads.splice(0)) await load.stop();
  });
  return {
    async load(): Promise<Load> {
      const load = await startLoad();
      loads.push(load);
      return load;
    },
    async recorder(directory: string, port: number, args: string[] = []): Promise<RunningCli> {
      const running = startCli(['record', '--out', directory, '--port', String(port), ...args]);
      recorders.push(running);
      await running.says('recording to');
      return running;
    },
  };
}

/** Events of the kernel, without what the recorder itself adds. */
export async function kernelEvents(directory: string): Promise<StoredRow[]> {
  const rows = await readAllRows(directory);
  return rows.filter(({ kind }) => kind < EventKind.process);
}

/** Epoch ms of the last one. */
export function lastMs(events: readonly StoredRow[]): number {
  return events.reduce((last, { timeNs }) => Math.max(last, Number(timeNs / 1000n) / 1000), 0);
}

export const seconds = (count: number) => sleep(count * 1000);
