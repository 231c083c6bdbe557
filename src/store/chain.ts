/**
 * The chain of a directory's closed segments: each says in its metadata which one was closed
 * before it, with the SHA-256 of that file's bytes; of the newest, a file beside them says it. Who
 * alters, removes or swaps a segment must write all later ones again.
 */
import { createHash } from 'node:crypto';
import { createReadStream, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { writeFileDurably } from './durable-file.js';
import { ioError } from './io-error.js';

/** A segment by name, without its directory, and the SHA-256 of its bytes in hex. */
export interface ChainLink {
  readonly name: string;
  readonly sha256: string;
}

/** Names the newest segment. `sha256sum -c` reads it. */
const HEAD = '.aftertrace.head';

/**
 * Metadata of a closed segment: its predecessors as lines of `sha256sum`, '' where a chain
 * begins. More than one where those in between could not be given metadata of their own.
 */
export const CHAIN_KEY = 'previous';

/** Lines of `sha256sum`; what is none is passed over. */
function parseLinks(text: string): ChainLink[] {
  return text.split('\n').flatMap((line) => {
    const match = /^([0-9a-f]{64}) {2}([^/\0]+)$/.exec(line);
    return match === null ? [] : [{ sha256: match[1]!, name: match[2]! }];
  });
}

function printLinks(links: readonly ChainLink[]): string {
  return links.map(({ name, sha256 }) => `${sha256}  ${name}\n`).join('');
}

export function linksToMetadata(previous: readonly ChainLink[]): Record<string, string> {
  return { [CHAIN_KEY]: printLinks(previous) };
}

/** The predecessors: none where the chain begins, undefined in files that know of no chain. */
export function linksFromMetadata(
  metadata: ReadonlyMap<string, string>,
): readonly ChainLink[] | undefined {
  const text = metadata.get(CHAIN_KEY);
  return text === undefined ? undefined : parseLinks(text);
}

/** The newest segment of a directory, last of those that no other one names; none if that is not known. */
export function readHead(directory: string): readonly ChainLink[] {
  try {
    return parseLinks(readFileSync(join(directory, HEAD), 'latin1'));
  } catch {
    // Not there, or not ours to read: a new chain begins, and verification says so.
    return [];
  }
}

/** @throws CodedError OUTPUT */
export function writeHead(directory: string, links: readonly ChainLink[]): void {
  writeFileDurably(join(directory, HEAD), Buffer.from(printLinks(links), 'latin1'));
}

/** A file as a link. @throws CodedError INPUT */
export async function linkOf(path: string): Promise<ChainLink> {
  const hash = createHash('sha256');
  try {
    await pipeline(createReadStream(path), hash);
  } catch (cause) {
    throw ioError('INPUT', path, 'read', cause);
  }
  return { name: basename(path), sha256: hash.digest('hex') };
}
