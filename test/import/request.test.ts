import { expect, test } from 'vitest';
import { requestFacts } from '../../src/import/request.js';
import { routeTemplate } from '../../src/model/route.js';

function facts(name: string, tags: Readonly<Record<string, string>> = {}, failed = false) {
  return requestFacts(name, (tag) => tags[tag] ?? '', failed);
}

test.each([
  ['GET /x', {}, 'GET', '/x'],
  ['HTTP GET /hotels', { 'http.method': 'GET', 'http.url': '/hotels?a=1' }, 'GET', '/hotels?a=1'],
  ['GET', { 'http.request.method': 'get', 'url.path': '/a', 'url.query': 'b=1' }, 'GET', '/a?b=1'],
  ['GET', { 'http.url': 'https://shop:8443/cart?x#y' }, 'GET', '/cart?x#y'],
  ['GET', { 'url.full': 'http://shop' }, 'GET', '/'],
  ['POST', {}, 'POST', '/'],
  ['/cart', { 'http.method': 'PUT', 'http.target': '/cart' }, 'PUT', '/cart'],
  ['GET /users/:id', { 'http.target': '/users/17' }, 'GET', '/users/17'],
  ['GET /users/{name}', { 'http.target': '/users/bob' }, 'GET', '/users/{name}'],
  [
    'touch-all',
    { 'http.method': 'GET', 'http.url': '/touch?x=1' },
    'GET',
    '/touch/(touch-all)?x=1',
  ],
  ['/search.Search/Nearby', {}, 'CALL', '/search.Search/Nearby'],
  ['', {}, 'CALL', 'unnamed'],
])('%j with %j is %s %s', (name, tags, method, target) => {
  expect(facts(name, tags as Record<string, string>)).toMatchObject({ method, target });
});

test('two operations never share a route, whatever digits and marks their names hold', () => {
  const names = [
    'Method1',
    'Method2',
    '/svc/Get1',
    '/svc/Get2',
    'why?1',
    'why?2',
    'a#1',
    'a#2',
    '7',
  ];
  names.push('http://h/x', 'http://h/y', 'order 4711', 'order 4712', 'deadbeef', 'cafebabe');
  const plain = names.map((name) => routeTemplate(facts(name).target));
  expect(new Set(plain).size).toBe(names.length);
  const withUrl = names.map((name) =>
    routeTemplate(facts(name, { 'http.url': '/graphql' }).target),
  );
  expect(new Set(withUrl).size).toBe(names.length);
});

test('the status is the HTTP status, else that of gRPC, else whether it failed', () => {
  expect(facts('x', { 'http.status_code': '404', error: 'true' }).status).toBe(404);
  expect(facts('x', { 'http.response.status_code': '503' }).status).toBe(503);
  expect(facts('x', { 'rpc.grpc.status_code': '0' }).status).toBe(200);
  expect(facts('x', { 'rpc.grpc.status_code': '14' }).status).toBe(500);
  expect(facts('x', { error: 'true' }).status).toBe(500);
  expect(facts('x', { error: 'false' }).status).toBe(200);
  expect(facts('x', { 'http.status_code': '0' }, true).status).toBe(500);
  expect(facts('x', { 'http.status_code': 'teapot' }).status).toBe(200);
});

test('the peer is the name that the span gives, the logical one first', () => {
  expect(facts('x', { 'net.peer.name': 'h', 'peer.service': 'cart' }).peer).toBe('cart');
  expect(facts('x').peer).toBe('');
});
