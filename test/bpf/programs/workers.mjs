// A service whose two worker threads make the calls. workers.mjs PORT BACKEND
// A request for /7 has the call /task/7 made. Beside it goes one broadcast, and one message that is waited for.
import { Agent, createServer, get } from 'node:http';
import {
  BroadcastChannel,
  isMainThread,
  MessageChannel,
  parentPort,
  receiveMessageOnPort,
  Worker,
  workerData,
} from 'node:worker_threads';

const [port, backend] = process.argv.slice(2).map(Number);
const news = new BroadcastChannel('news');

function serve() {
  const workers = [0, 1].map(() => new Worker(new URL(import.meta.url), { workerData: backend }));
  const waiting = new Map();
  let ready = 0;
  for (const worker of workers) {
    worker.on('message', (number) => {
      if (number === 'ready') {
        if (++ready === workers.length)
          server.listen(port, '127.0.0.1', () => console.log('ready'));
        return;
      }
      waiting.get(number).end('answer');
      waiting.delete(number);
    });
  }
  const { port1, port2 } = new MessageChannel();
  const server = createServer((request, response) => {
    const number = request.url.slice(1);
    waiting.set(number, response);
    port1.postMessage(number);
    receiveMessageOnPort(port2);
    news.postMessage(number);
    workers[waiting.size % 2].postMessage(number);
  });
}

function work() {
  const agent = new Agent({ keepAlive: true });
  news.onmessage = () => {};
  parentPort.on('message', (number) => {
    get({ port: workerData, host: '127.0.0.1', agent, path: `/task/${number}` }, (response) => {
      response.resume().once('end', () => parentPort.postMessage(number));
    });
  });
  parentPort.postMessage('ready');
}

if (isMainThread) serve();
else work();
