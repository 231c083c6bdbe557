import { once } from 'node:events';
import { Agent, createServer, get } from 'node:http';

export interface Service {
  /** Ends it. @returns how many requests were answered rightly and how many were not */
  stop(): Promise<{ answered: number; wrong: number }>;
}

/** A service and a client that asks it all the time, and looks at every byte of the answers. */
export async function startService(): Promise<Service> {
  const server = createServer((request, response) => response.end(`you asked ${request.url}`));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  const agent = new Agent({ keepAlive: true, maxSockets: 8 });
  let answered = 0;
  let wrong = 0;
  let asked = 0;
  let isEnding = false;
  const ask = () => {
    const path = `/item/${++asked}`;
    const request = get({ host: '127.0.0.1', port: address.port, path, agent });
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
      if (!isEnding) wrong++;
    });
  };
  const timer = setInterval(ask, 5);
  return {
    stop: async () => {
      clearInterval(timer);
      isEnding = true;
      agent.destroy();
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
      return { answered, wrong };
    },
  };
}
