import { routeTemplate } from '../../model/route.js';
import { ClassNumbers } from './class-numbers.js';
import type { CausalExchanges, ProcessIndex } from './process-index.js';

/** Things by what they ask of whom: the units over which habits are learned. */
export interface Kinds {
  /** How many there are. */
  readonly count: number;
  /** Per client or server: its kind. */
  readonly of: Uint32Array;
}

/** Beyond this many kinds, what is new shares one: targets with ids that no template knows. */
const MOST_KINDS = 500;

/** Numbers strings in order of their first occurrence; neighbours are often the same. */
class Names {
  private readonly numbers = new Map<string, number>();
  private last: string | undefined;
  private lastNumber = 0;

  of(name: string): number {
    if (name === this.last) return this.lastNumber;
    let known = this.numbers.get(name);
    if (known === undefined) {
      known = this.numbers.size;
      this.numbers.set(name, known);
    }
    this.last = name;
    this.lastNumber = known;
    return known;
  }
}

/** Numbers what a row asks: method and route. */
class Operations {
  private readonly methods = new Names();
  private readonly routes = new Names();
  private readonly numbers = new ClassNumbers();

  constructor(private readonly x: CausalExchanges) {}

  of(row: number): number {
    const route = this.routes.of(routeTemplate(this.x.target[row]!));
    // A method is a token that the decoder bounds: 2^20 of them leave 2^32 routes.
    return this.numbers.of(route * 2 ** 20 + this.methods.of(this.x.method[row]!));
  }
}

function number(length: number, keyOf: (i: number) => number): Kinds {
  const numbers = new ClassNumbers();
  const of = new Uint32Array(length);
  for (let i = 0; i < length; i++) of[i] = Math.min(MOST_KINDS, numbers.of(keyOf(i)));
  return { count: Math.min(numbers.count, MOST_KINDS + 1), of };
}

/** Calls by destination, method and route. */
export function callKinds({ exchanges: x, clients }: ProcessIndex): Kinds {
  const operations = new Operations(x);
  const addresses = new Names();
  return number(clients.length, (client) => {
    const row = clients[client]!;
    const place = addresses.of(x.remote_address[row]!) * 2 ** 16 + x.remote_port[row]!;
    return operations.of(row) * 2 ** 33 + place;
  });
}

/** Requests by method and route. */
export function requestKinds({ exchanges: x, servers }: ProcessIndex): Kinds {
  const operations = new Operations(x);
  return number(servers.length, (server) => operations.of(servers[server]!));
}
