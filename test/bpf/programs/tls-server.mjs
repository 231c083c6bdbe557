// An HTTPS server: tls-server.mjs KEY CERTIFICATE PORT. Answers with the port that the client has.
import { readFileSync } from 'node:fs';
import { createServer } from 'node:https';

const [key, certificate, port] = process.argv.slice(2);
// On a busy machine idle times grow: no connection ends because of them.
const options = { keepAliveTimeout: 0, requestTimeout: 0, headersTimeout: 0 };
const files = { key: readFileSync(key), cert: readFileSync(certificate) };
createServer({ ...options, ...files }, (request, response) => {
  response.setHeader('Set-Cookie', 'id=SECRETsetcookie; Path=/');
  request.resume().on('end', () => response.end(String(request.socket.remotePort)));
}).listen(Number(port), '127.0.0.1', () => console.log('ready'));
