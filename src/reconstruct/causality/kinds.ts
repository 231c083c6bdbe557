import { routeTemplate } from '../../model/route.js';
import type { ProcessIndex } from './process-index.js';

/** Things by what they ask of whom: the units over which habits are learned. */
export interface Kinds {
  /** How many there are. */
  readonly count: number;
  /** Per client or server: its kind. */
  readonly of: Uint32Array;
}

/** Beyond this many kinds, what is new shares one: targets with ids that no template knows. */
const MOST_KINDS = 500;

function number(length: number, nameOf: (i: number) => string): Kinds {
  const numbers = new Map<string, number>();
  const of = new Uint32Array(length);
  for (let i = 0; i < length; i++) {
    const name = nameOf(i);
    let known = numbers.get(name);
    if (known === undefined) {
      known = Math.min(numbers.size, MOST_KINDS);
      numbers.set(name, known);
    }
    of[i] = known;
  }
  return { count: Math.min(numbers.size, MOST_KINDS + 1), of };
}

/** Remembers the routes of the last targets: most come again and again. */
function routeCache(): (target: string) => string {
  const known = new Map<string, string>();
  return (target) => {
    let route = known.get(target);
    if (route === undefined) {
      route = routeTemplate(target);
      if (known.size > 10_000) known.clear();
      known.set(target, route);
    }
    return route;
  };
}

/** Calls by destination, method and route. */
export function callKinds({ exchanges: x, clients }: ProcessIndex): Kinds {
  const routeOf = routeCache();
  return number(clients.length, (client) => {
    const row = clients[client]!;
    return `${x.remote_address[row]}:${x.remote_port[row]} ${x.method[row]} ${routeOf(x.target[row]!)}`;
  });
}

/** Requests by method and route. */
export function requestKinds({ exchanges: x, servers }: ProcessIndex): Kinds {
  const routeOf = routeCache();
  return number(servers.length, (server) => {
    const row = servers[server]!;
    return `${x.method[row]} ${routeOf(x.target[row]!)}`;
  });
}
