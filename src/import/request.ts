import { routeTemplate } from '../model/route.js';
import type { RequestFacts } from './span.js';

/** A span's tag (attribute) by name; '' where it is absent. */
export type TagReader = (name: string) => string;

/** Method of a span that names an operation but no HTTP method. */
const NO_METHOD = 'CALL';
const METHODS = 'GET|HEAD|POST|PUT|DELETE|CONNECT|OPTIONS|TRACE|PATCH';
/** `GET`, `HTTP GET`, `GET /x`, `HTTP GET /x`. */
const HTTP_OPERATION = new RegExp(`^(?:HTTP )?(${METHODS})(?: (\\S+))?$`);

const PEER_TAGS = [
  'peer.service',
  'server.address',
  'net.peer.name',
  'http.host',
  'peer.hostname',
  'db.system',
] as const;

function firstOf(tag: TagReader, names: readonly string[]): string {
  for (const name of names) {
    const value = tag(name);
    if (value !== '') return value;
  }
  return '';
}

/** Path and query of a target or URL. */
function pathOf(url: string): string {
  const path = url.replace(/^[a-z][a-z0-9+.-]*:\/\/[^/?#]*/i, '');
  return path === '' && url !== '' ? '/' : path;
}

function taggedTarget(tag: TagReader): string {
  const path = tag('url.path');
  const query = tag('url.query');
  const asked = path !== '' && query !== '' ? `${path}?${query}` : path;
  const target = tag('http.target') || asked || firstOf(tag, ['http.url', 'url.full', 'http.path']);
  return pathOf(target || tag('http.route'));
}

/** An operation's name as a target whose route is the name itself, whatever digits it holds. */
function operationTarget(name: string): string {
  const plain = name.replaceAll('?', '%3F').replaceAll('#', '%23');
  if (routeTemplate(plain) === plain) return plain;
  return plain
    .replace(/:\/\//g, ':/')
    .split('/')
    .map((segment) => (routeTemplate(segment) === segment ? segment : `${segment}()`))
    .join('/');
}

/** `/users/:id`, `/users/<id>`, `/users/*` in the form of routeTemplate. */
function plainRoute(route: string): string {
  return routeTemplate(route)
    .split('/')
    .map((part) => (/^(:.+|<.+>|\{.*\}|\*+)$/.test(part) ? '{id}' : part))
    .join('/');
}

function targetOf(name: string, tagged: string): string {
  const http = HTTP_OPERATION.exec(name);
  if (http !== null) {
    const route = http[2] === undefined ? '' : pathOf(http[2]);
    if (tagged === '') return route || '/';
    const isSame = route === '' || plainRoute(route) === routeTemplate(tagged);
    // A route that the path alone would not give tells the operation.
    return isSame ? tagged : operationTarget(route);
  }
  if (tagged === '') return operationTarget(name || 'unnamed');
  if (name === '' || routeTemplate(tagged) === routeTemplate(pathOf(name))) return tagged;
  const [path, query] = /^([^?#]*)(.*)$/.exec(tagged)!.slice(1);
  return `${path === '/' ? '' : path}/(${operationTarget(name)})${query}`;
}

function statusOf(tag: TagReader, failed: boolean): number {
  const status = Number(
    firstOf(tag, ['http.response.status_code', 'http.status_code']) || Number.NaN,
  );
  if (Number.isInteger(status) && status >= 100 && status <= 599) return status;
  const grpc = firstOf(tag, ['rpc.grpc.status_code', 'grpc.status_code']);
  return failed || (grpc !== '' && grpc !== '0' && grpc !== 'OK') ? 500 : 200;
}

/**
 * Method, target and status of a span. What tags do not tell comes from the operation's
 * name, so that two operations never look alike; a span that did not fail counts as 200.
 *
 * @param failed what the format itself says of an error
 */
export function requestFacts(name: string, tag: TagReader, failed: boolean): RequestFacts {
  const error = tag('error');
  const method = firstOf(tag, ['http.request.method', 'http.method']);
  return {
    method: method.toUpperCase() || (HTTP_OPERATION.exec(name)?.[1] ?? NO_METHOD),
    target: targetOf(name, taggedTarget(tag)),
    peer: firstOf(tag, PEER_TAGS),
    status: statusOf(tag, failed || (error !== '' && error !== 'false')),
  };
}
