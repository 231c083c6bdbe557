import { targetTokens } from '../../../http1/tokens.js';
import type { ProcessIndex } from '../process-index.js';

/** Tokens of exchanges one after another: those of the i-th are at offsets[i] .. offsets[i + 1]. */
export interface Carried {
  readonly offsets: Uint32Array;
  /** Number of the value, and of the place where it stands. */
  readonly value: Uint32Array;
  readonly place: Uint32Array;
}

/** The tokens that requests and calls of a process carry. */
export interface Tokens {
  readonly servers: Carried;
  readonly clients: Carried;
  /** By number: what stands there. A value that begins with '*' is the mark of a secret. */
  readonly values: readonly string[];
  readonly places: readonly string[];
  /** Number of a value; undefined where no request or call carries it. */
  numberOf(value: string): number | undefined;
}

/** Numbers texts in the order in which they come. */
class Numbers {
  readonly texts: string[] = [];
  private readonly known = new Map<string, number>();

  find(text: string): number | undefined {
    return this.known.get(text);
  }

  of(text: string): number {
    let number = this.known.get(text);
    if (number === undefined) {
      number = this.texts.length;
      this.known.set(text, number);
      this.texts.push(text);
    }
    return number;
  }
}

function tokensOf({ exchanges: x }: ProcessIndex, row: number): string[] {
  const identity = `${x.trace_context[row]} ${x.request_id[row]}`;
  const own = targetTokens(x.target[row]!, identity);
  return x.tokens[row] === '' ? own : [...x.tokens[row]!.split(' '), ...own];
}

function carriedBy(
  index: ProcessIndex,
  rows: Uint32Array,
  values: Numbers,
  places: Numbers,
): Carried {
  const offsets = new Uint32Array(rows.length + 1);
  const value: number[] = [];
  const place: number[] = [];
  for (let i = 0; i < rows.length; i++) {
    for (const token of tokensOf(index, rows[i]!)) {
      const equals = token.indexOf('=');
      place.push(places.of(token.slice(0, equals)));
      value.push(values.of(token.slice(equals + 1)));
    }
    offsets[i + 1] = value.length;
  }
  return { offsets, value: Uint32Array.from(value), place: Uint32Array.from(place) };
}

/** Reads the tokens of a process's HTTP requests and calls. */
export function readTokens(index: ProcessIndex): Tokens {
  const [values, places] = [new Numbers(), new Numbers()];
  const clients = carriedBy(index, index.clients, values, places);
  const servers = carriedBy(index, index.servers, values, places);
  return {
    clients,
    servers,
    values: values.texts,
    places: places.texts,
    numberOf: (value) => values.find(value),
  };
}
