import { once } from 'node:events';
import { Agent, createServer, get } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Verdicts } from './verdicts.js';

export interface Service {
  /** Ends it and checks that every request was answered, and rightly. */
  stop(verdicts: Verdicts, what: string): Promise<void>;
}

/** Answers that are still under way at the end have this long, ms. */
const PATIENCE_MS = 10_000;

/**
 * A service and a client that asks it all the time, and looks at every byte of the answers.
 *
 * @param onAsk told of every request as it is sent
 */
export async function startService(onAsk: (path: string) => void = () => {}): Promise<Service> {
  const server = createServer((request, response) => response.end(`you asked ${request.url}`));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  const agent = new Agent({ keepAlive: true, maxSockets: 8 });
  let answered = 0;
  let wrong = 0;
  let asked = 0;
  const ask = () => {
    const path = `/item/${++asked}`;
    const request = get({ host: '127.0.0.1', port: address.port, path, agent });
    onAsk(path);
    request.on('response', (response) => {
      let text = '';
      response.on('data', (chunk) => {
        text += chunk;
      });
      response.on('end', () => {
        if (text === `you asked ${path}`) answered++;
        else wrong++;
      });
    });
    request.on('error', () => {
      wrong++;
    });
  };
  const timer = setInterval(ask, 5);
  return {
    stop: async (verdicts, what) => {
      clearInterval(timer);
      const end = performance.now() + PATIENCE_MS;
      while (answered + wrong < asked && performance.now() < end) await sleep(10);
      verdicts.check(
        `${what}: service under test`,
        answered === asked && asked > 0,
        `${asked} asked, ${answered} answered, ${wrong} wrong`,
      );
      agent.destroy();
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
