// A backend that answers after a few milliseconds, and then closes the connection where asked to. backend.mjs PORT
import { createServer } from 'node:http';

createServer(({ url }, response) => {
  if (url.includes('closing')) response.setHeader('Connection', 'close');
  setTimeout(() => response.end('answer'), 2 + Math.random() * 3);
}).listen(Number(process.argv[2]), '127.0.0.1', () => console.log('ready'));
