// Asks an HTTPS server: tls-client.mjs PORT REQUESTS CONNECTIONS agent|fetch [START]. Each path is a key
// that no other request has; prints "KEY PORT" for every answer, the port being this end's.
import { Agent, request } from 'node:https';

const [port, requests, connections] = process.argv.slice(2, 5).map(Number);
const way = process.argv[5];
process.env.NODE_TLS_REJECT_UNAUTHORIZED = '0';
process.removeAllListeners('warning');
const agent = new Agent({ keepAlive: true, maxSockets: connections });

function viaAgent(path, method, body) {
  return new Promise((resolve, reject) => {
    const call = request({ host: '127.0.0.1', port, path, method, agent }, (response) => {
      let text = '';
      response.on('data', (chunk) => {
        text += chunk;
      });
      response.on('end', () => resolve(text));
    });
    call.on('error', reject);
    // In two pieces: head and body leave in separate writes.
    if (body !== undefined) call.write(body);
    call.end();
  });
}

async function viaFetch(path, method, body) {
  const response = await fetch(`https://127.0.0.1:${port}${path}`, { method, body });
  return response.text();
}

let next = 0;
async function work() {
  while (next < requests) {
    const number = next++;
    const path = `/${way}-${process.pid}-${number}`;
    const isPost = number % 3 === 0;
    const ask = way === 'fetch' ? viaFetch : viaAgent;
    const body = isPost ? 'x'.repeat((number * 37) % 40_000) : undefined;
    console.log(`${path} ${await ask(path, isPost ? 'POST' : 'GET', body)}`);
  }
}
await Promise.all(Array.from({ length: connections }, work));
process.exit(0);
