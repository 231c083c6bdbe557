// A service of async functions. async.mjs PORT BACKEND: says in the URLs of its calls and in its answers whose they are.
import { readFile } from 'node:fs/promises';
import { Agent, createServer, get } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';

const [port, backend] = process.argv.slice(2).map(Number);
const agent = new Agent({ keepAlive: true });
let requests = 0;

async function call(kind, number) {
  const response = await fetch(`http://127.0.0.1:${backend}/call?${kind}=${number}`);
  await response.text();
}

function agentCall(kind, number) {
  const url = `http://127.0.0.1:${backend}/call?${kind}=${number}`;
  return new Promise((resolve, reject) => {
    get(url, { agent }, (response) => response.resume().once('end', resolve)).once('error', reject);
  });
}

async function branch(number) {
  await sleep(Math.random() * 5);
  await call('branch', number);
}

async function work(number) {
  await call('first', number);
  await sleep(Math.random() * 10);
  await Promise.all([branch(number), branch(number)]);
  await readFile(new URL(import.meta.url));
  for (const kind of ['kept', 'closing', 'connecting']) {
    await sleep(Math.random() * 5);
    await agentCall(kind, number);
  }
  await sleep(Math.random() * 5);
  await call('closing-fetched', number);
  await sleep(Math.random() * 5);
  await call('last', number);
}

async function tick() {
  for (;;) {
    await sleep(5);
    await call('nobody', 0);
  }
}

const server = createServer(async (_, response) => {
  const number = ++requests;
  await work(number);
  response.setHeader('X-Request', number);
  response.end('hello');
});
server.listen(port, '127.0.0.1', () => console.log('ready'));
// The backend may end first.
tick().catch(() => process.exit());
