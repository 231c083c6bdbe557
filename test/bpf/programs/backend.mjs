// A backend that answers after a few milliseconds. backend.mjs PORT
import { createServer } from 'node:http';

createServer((_, response) =>
  setTimeout(() => response.end('answer'), 2 + Math.random() * 3),
).listen(Number(process.argv[2]), '127.0.0.1', () => console.log('ready'));
