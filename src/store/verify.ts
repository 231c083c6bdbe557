import { basename, dirname, join } from 'node:path';
import type { Identities } from './age.js';
import { openSource } from './age-file.js';
import { listFiles, reasonOf, type UnreadableFile } from './catalog.js';
import { type ChainLink, linkOf, linksFromMetadata, readHead } from './chain.js';
import { ParquetReader } from './parquet-file.js';
import { headerFromMetadata } from './segment-header.js';
import { closedPath, isClosedName, isStreamName, segmentBaseName } from './segment-name.js';

/** What is wrong with a segment. */
type Breach =
  /** Its bytes are not those that its successor, or the head, vouches for. */
  | 'altered'
  /** Another segment, or the head, vouches for it, and it is not there. */
  | 'missing'
  /** Its bytes are another segment's. */
  | 'renamed'
  /** Nobody vouches for it, although the newest segment is known. */
  | 'outside';

interface Problem {
  readonly file: string;
  readonly breach: Breach;
  /** One sentence, without the path. */
  readonly text: string;
}

interface VerifiedSegment {
  readonly path: string;
  readonly sha256: string;
  /** Who says that these are its bytes: the segment closed next, `head`, or nobody (''). */
  readonly vouchedBy: string;
}

export interface VerifyResult {
  readonly segments: readonly VerifiedSegment[];
  readonly problems: readonly Problem[];
  /** Segments whose predecessors cannot be read, so that these go unchecked. */
  readonly unreadable: readonly UnreadableFile[];
  /** What the chain cannot say, one sentence each. */
  readonly limits: readonly string[];
}

/** A closed segment and what it says of itself. */
interface Member extends ChainLink {
  readonly path: string;
  /** undefined where it cannot be read or knows of no chain. */
  readonly previous: readonly ChainLink[] | undefined;
  /** Host and epoch ns of its start; undefined where it cannot be read. */
  readonly host?: string;
  readonly startNs?: bigint;
  /** The name it was given; undefined where it cannot be read. */
  readonly ownName?: string;
  readonly unreadable?: string;
}

async function readMember(path: string, identities: Identities): Promise<Member> {
  const link = { ...(await linkOf(path)), path };
  // What a killed recorder left has no place for its predecessors: its successor names them.
  if (isStreamName(path)) return { ...link, previous: [] };
  try {
    const reader = new ParquetReader(await openSource(path, identities));
    reader.close();
    const { metadata } = reader.footer;
    const header = headerFromMetadata(metadata, path);
    return {
      ...link,
      previous: linksFromMetadata(metadata),
      host: header.host,
      startNs: BigInt(header.startNs),
      ownName: segmentBaseName(header),
    };
  } catch (error) {
    return { ...link, previous: undefined, unreadable: reasonOf(error) };
  }
}

/** What one directory's segments and head say of each other. */
class DirectoryCheck {
  readonly problems: Problem[] = [];
  readonly limits: string[] = [];
  readonly #directory: string;
  readonly #members: readonly Member[];
  readonly #head: readonly ChainLink[];
  readonly #byName: ReadonlyMap<string, Member>;
  readonly #byHash: ReadonlyMap<string, Member>;
  readonly #vouchedBy = new Map<string, string>();

  constructor(directory: string, members: readonly Member[], head: readonly ChainLink[]) {
    this.#directory = directory;
    this.#members = members;
    this.#head = head;
    this.#byName = new Map(members.map((member) => [member.name, member]));
    this.#byHash = new Map(members.map((member) => [member.sha256, member]));
  }

  run(): VerifiedSegment[] {
    for (const link of this.#head) this.#check(link, undefined);
    for (const member of this.#members) {
      for (const link of member.previous ?? []) this.#check(link, member);
      this.#checkName(member);
    }
    const isBroken = new Set(this.problems.map(({ file }) => file));
    for (const member of this.#members) {
      if (!this.#vouchedBy.has(member.name) && !isBroken.has(member.path)) this.#unvouched(member);
    }
    return this.#members.map(({ path, name, sha256 }) => {
      return { path, sha256, vouchedBy: this.#vouchedBy.get(name) ?? '' };
    });
  }

  #report(name: string, breach: Breach, text: string): void {
    const file = join(this.#directory, name);
    if (!this.problems.some((known) => known.file === file && known.breach === breach)) {
      this.problems.push({ file, breach, text });
    }
  }

  /** `link` is what `successor` (undefined: the head) says of a segment. */
  #check({ name, sha256 }: ChainLink, successor: Member | undefined): void {
    const by = successor?.name ?? 'head';
    const voucher = successor === undefined ? 'the head of the chain' : successor.name;
    const found = this.#byName.get(name);
    if (found?.sha256 === sha256) {
      this.#vouchedBy.set(name, by);
      return;
    }
    const elsewhere = this.#byHash.get(sha256);
    if (elsewhere !== undefined) {
      this.#report(elsewhere.name, 'renamed', `is what ${voucher} knows as ${name}.`);
    } else if (found !== undefined) {
      const reason = found.unreadable === undefined ? '' : ` It ${found.unreadable}`;
      this.#report(name, 'altered', `is not what ${voucher} vouches for.${reason}`);
    } else if (successor === undefined || this.#hasOlder(successor)) {
      this.#report(name, 'missing', `is not there, and ${voucher} vouches for it.`);
    } else {
      this.limits.push(
        `${successor.path}: the chain begins here. ${name} before it is gone: retention deletes the oldest, and so might somebody else.`,
      );
    }
  }

  /** True if something closed earlier is still there: retention deletes from the oldest on. */
  #hasOlder({ host, startNs, name }: Member): boolean {
    return this.#members.some(
      (other) =>
        other.name !== name &&
        other.host === host &&
        other.startNs !== undefined &&
        startNs !== undefined &&
        other.startNs < startNs,
    );
  }

  #checkName({ name, ownName }: Member): void {
    if (ownName === undefined || name.startsWith(`${ownName}.`)) return;
    this.#report(name, 'renamed', `was written as ${ownName}.`);
  }

  #unvouched({ name, path, previous, unreadable }: Member): void {
    if (unreadable === undefined && previous === undefined) {
      this.limits.push(`${path}: was written without a chain: nothing vouches for it.`);
    } else if (this.#members.some((other) => other.unreadable !== undefined)) {
      this.limits.push(`${path}: who vouches for it cannot be read.`);
    } else if (this.#head.length > 0) {
      this.#report(name, 'outside', 'is not a part of the chain: nothing vouches for it.');
    } else {
      this.limits.push(
        `${path}: nothing here vouches for the newest segment. Compare its SHA-256 with what the recorder printed.`,
      );
    }
  }
}

/**
 * Checks that no closed segment was altered, removed or renamed since the next one was
 * closed, and against the head of the directory where that is there. Reads every byte.
 *
 * Proves nothing against who rewrote all segments from one on, and the head: only a SHA-256 that is
 * kept elsewhere does.
 *
 * @param newest such a SHA-256, hex: one of the segments must have it
 * @throws CodedError INPUT if a path is missing or a file cannot be read
 */
export async function verifyPaths(
  paths: readonly string[],
  identities: Identities = [],
  newest?: string,
): Promise<VerifyResult> {
  const files = [...new Set(paths.flatMap(listFiles))].sort();
  const closed = files.filter(isClosedName);
  const segments: VerifiedSegment[] = [];
  const problems: Problem[] = [];
  const unreadable: UnreadableFile[] = [];
  const limits = files
    .filter((file) => !isClosedName(file) && closedPath(file) !== file)
    .map((file) => `${file}: is open, or its recorder died: not in the chain yet.`);
  for (const directory of new Set(closed.map(dirname))) {
    const members: Member[] = [];
    for (const path of closed.filter((file) => dirname(file) === directory)) {
      members.push(await readMember(path, identities));
    }
    const check = new DirectoryCheck(directory, members, readHead(directory));
    segments.push(...check.run());
    problems.push(...check.problems);
    limits.push(...check.limits);
    for (const { path, unreadable: reason } of members) {
      if (reason !== undefined) unreadable.push({ file: path, reason });
    }
  }
  if (newest !== undefined && !segments.some(({ sha256 }) => sha256 === newest.toLowerCase())) {
    const text = `no segment has the SHA-256 ${newest}: the newest ones are missing, or altered.`;
    problems.push({ file: paths.map((path) => basename(path)).join(' '), breach: 'missing', text });
  }
  return { segments, problems, unreadable, limits };
}
