import { recognizeStart } from '../http1/start-line.js';
import type { Batch } from '../model/batch.js';
import { EventFlag, EventKind } from '../model/event.js';
import { MARK_DIGITS, MARK_LENGTH } from '../model/secret-mark.js';
import { isSecretName, type RedactionPolicy, URL_HEADERS } from './redaction-policy.js';
import { SipHash } from './sip-hash.js';

/** Streams remembered at most; the longest untouched go first and are masked when they go on. */
const MOST_STREAMS = 65_536;
/** Names longer than this cannot be checked, so their values are masked. */
const LONGEST_NAME = 64;

const LF = 10;
const CR = 13;
const SPACE = 32;
const TAB = 9;
const MASK = 42; // '*'

const Phase = {
  /** Body bytes, or bytes of unknown meaning: all become 0. */
  body: 0,
  startLine: 1,
  name: 2,
  value: 3,
} as const;

const Mode = {
  plain: 0,
  masked: 1,
  /** Query values under secret keys and credentials before a host are masked. */
  url: 2,
  length: 3,
  coding: 4,
  /** As masked; a secret is the value of each cookie. */
  cookies: 5,
} as const;

const COOKIE_HEADERS: ReadonlySet<string> = new Set([
  'cookie',
  'set-cookie',
  'cookie2',
  'set-cookie2',
]);

/** Where within a URL-like text the scan is. */
const Url = { path: 0, key: 1, value: 2, secret: 3, authority: 4 } as const;

class StreamState {
  phase: number = Phase.body;
  mode: number = Mode.plain;
  url: number = Url.path;
  name = '';
  /** How much of "://" was just read, 0..3. */
  scheme = 0;
  /** Body bytes still to come by Content-Length. */
  left = 0;
  length = 0;
  chunked = false;
  /** Bytes of the start line so far, enough to hold a status. */
  startLine = '';
  /** Sequence number of the next byte; -1 unknown. */
  next = -1;
  /** Of the secret being read, if its first byte was seen. */
  secret: SipHash | undefined;
  inCookieValue = false;
}

interface ConnectionState {
  readonly send: StreamState;
  readonly receive: StreamState;
}

/** Plaintext of TLS is a stream of its own beside the encrypted one, with its own positions. */
const PLAINTEXT = 1n << 63n;

function isTls(batch: Batch, row: number): boolean {
  return (batch.flags[row]! & EventFlag.tls) !== 0;
}

function keyOf(batch: Batch, row: number): bigint {
  return isTls(batch, row) ? batch.connection[row]! | PLAINTEXT : batch.connection[row]!;
}

function positionOf(batch: Batch, row: number): number {
  return isTls(batch, row) ? Number(batch.count[row]!) : batch.sequence[row]!;
}

function endOf(batch: Batch, row: number): number {
  return (positionOf(batch, row) + batch.bytes[row]!) >>> 0;
}

/**
 * Masks secrets in the captured bytes of batches, in place and without changing lengths,
 * before anything reaches the disk: values of secret headers and query keys become '*', the last
 * of them their mark where the policy has a key for it (src/model/secret-mark.ts), body bytes become 0. Works across records: the state of every stream is kept, so a
 * secret cut in two is masked in both halves. Where the meaning of bytes is not known
 * (records were lost, a name is too long), they are masked.
 */
export class Redactor {
  private readonly connections = new Map<bigint, ConnectionState>();

  constructor(private readonly policy: RedactionPolicy) {}

  apply(batch: Batch): void {
    const { offsets, data } = batch.payload;
    for (let row = 0; row < batch.rows; row++) {
      const kind = batch.kind[row]!;
      if (kind === EventKind.close) {
        this.connections.delete(batch.connection[row]!);
        this.connections.delete(batch.connection[row]! | PLAINTEXT);
      }
      if (kind !== EventKind.send && kind !== EventKind.receive) continue;
      const from = offsets[row]!;
      const to = offsets[row + 1]!;
      if (from === to) this.passUncaptured(batch, row);
      else this.redactRow(batch, row, data.subarray(from, to));
    }
  }

  private stateOf(connection: bigint): ConnectionState {
    const known = this.connections.get(connection);
    if (known !== undefined) return known;
    if (this.connections.size >= MOST_STREAMS / 2) {
      const oldest = this.connections.keys().next().value;
      if (oldest !== undefined) this.connections.delete(oldest);
    }
    const fresh = { send: new StreamState(), receive: new StreamState() };
    this.connections.set(connection, fresh);
    return fresh;
  }

  /** Bytes that were not captured still move the stream on. */
  private passUncaptured(batch: Batch, row: number): void {
    const known = this.connections.get(keyOf(batch, row));
    if (known === undefined || (batch.flags[row]! & EventFlag.peek) !== 0) return;
    const state = batch.kind[row] === EventKind.send ? known.send : known.receive;
    if (state.phase !== Phase.body) loseTrack(state);
    state.left = Math.max(0, state.left - batch.bytes[row]!);
    state.next = endOf(batch, row);
  }

  private redactRow(batch: Batch, row: number, bytes: Uint8Array): void {
    const both = this.stateOf(keyOf(batch, row));
    const isSend = batch.kind[row] === EventKind.send;
    const state = isSend ? both.send : both.receive;
    const other = isSend ? both.receive : both.send;
    const isPeek = (batch.flags[row]! & EventFlag.peek) !== 0;
    // Peeked bytes come again: they are masked by a copy, and the stream stays where it is.
    const working = isPeek ? copyOf(state) : state;
    if (working.next !== -1 && working.next !== positionOf(batch, row)) {
      loseTrack(working);
      working.left = 0;
    }
    const uncaptured = batch.bytes[row]! - bytes.length;
    new RecordMask(this.policy, working, other).run(bytes);
    if (uncaptured > 0) {
      if (working.phase !== Phase.body) loseTrack(working);
      working.left = Math.max(0, working.left - uncaptured);
    }
    working.next = endOf(batch, row);
  }
}

function copyOf(state: StreamState): StreamState {
  return Object.assign(new StreamState(), state, { secret: state.secret?.copy() });
}

/** The rest of the line at hand is of unknown meaning. */
function loseTrack(state: StreamState): void {
  if (state.phase === Phase.body) return;
  state.secret = undefined;
  state.phase = Phase.value;
  state.mode = Mode.masked;
}

/** One record's bytes, masked in place. */
class RecordMask {
  constructor(
    private readonly policy: RedactionPolicy,
    private readonly state: StreamState,
    private readonly other: StreamState,
  ) {}

  run(bytes: Uint8Array): void {
    const { phase, mode, url } = this.state;
    const isUrl = phase === Phase.startLine || (phase === Phase.value && mode === Mode.url);
    if (isUrl && url === Url.authority) maskUserinfo(bytes, 0);
    let at = 0;
    while (at < bytes.length) {
      at = this.state.phase === Phase.body ? this.body(bytes, at) : this.headByte(bytes, at);
    }
  }

  /** Zeroes body bytes up to where a head begins. */
  private body(bytes: Uint8Array, at: number): number {
    const { state } = this;
    const length = Math.min(state.left, bytes.length - at);
    bytes.fill(0, at, at + length);
    state.left -= length;
    const from = at + length;
    if (from === bytes.length) return from;
    if (recognizeStart(bytes, from) === undefined) {
      bytes.fill(0, from);
      return bytes.length;
    }
    state.phase = Phase.startLine;
    state.mode = Mode.url;
    state.secret = undefined;
    state.url = Url.path;
    state.startLine = '';
    state.length = 0;
    state.chunked = false;
    // A new head on one side ends what was still expected on the other (HEAD, 304).
    this.other.left = 0;
    return from;
  }

  private headByte(bytes: Uint8Array, at: number): number {
    const { state } = this;
    const byte = bytes[at]!;
    if (byte === LF) {
      this.endSecret(bytes, at);
      this.endLine();
      return at + 1;
    }
    switch (state.phase) {
      case Phase.startLine:
        if (state.startLine.length < 16) state.startLine += String.fromCharCode(byte);
        return this.urlByte(bytes, at);
      case Phase.name:
        return this.nameByte(byte, at);
      default:
        return this.valueByte(bytes, at);
    }
  }

  private endLine(): void {
    const { state } = this;
    state.secret = undefined;
    const isEmpty = state.phase === Phase.name && state.name === '';
    if (isEmpty) this.endHead();
    else {
      state.phase = Phase.name;
      state.name = '';
    }
  }

  private endHead(): void {
    const { state } = this;
    const status = /^HTTP\/1\.\d (\d{3})/.exec(state.startLine)?.[1] ?? '';
    const isBodiless = /^(1\d\d|204|304)$/.test(status);
    state.phase = Phase.body;
    state.left = isBodiless || state.chunked ? 0 : state.length;
    state.name = '';
  }

  private nameByte(byte: number, at: number): number {
    const { state } = this;
    if (byte === CR) return at + 1;
    if (state.name === '' && (byte === SPACE || byte === TAB)) {
      // A folded line goes on as the one before it.
      state.phase = Phase.value;
      return at + 1;
    }
    if (byte !== 58) {
      if (state.name.length <= LONGEST_NAME) state.name += String.fromCharCode(byte);
      return at + 1;
    }
    state.phase = Phase.value;
    state.mode = this.modeOf(state.name.trim().toLowerCase());
    state.url = Url.path;
    if (state.mode === Mode.masked || state.mode === Mode.cookies) this.beginSecret();
    return at + 1;
  }

  private modeOf(name: string): number {
    if (name.length > LONGEST_NAME || isSecretName(this.policy.headers, name)) {
      return COOKIE_HEADERS.has(name) ? Mode.cookies : Mode.masked;
    }
    if (name === 'content-length') {
      this.state.length = 0;
      return Mode.length;
    }
    if (name === 'transfer-encoding') return Mode.coding;
    return URL_HEADERS.has(name) ? Mode.url : Mode.plain;
  }

  private valueByte(bytes: Uint8Array, at: number): number {
    const { state } = this;
    const byte = bytes[at]!;
    switch (state.mode) {
      case Mode.masked:
      case Mode.cookies:
        if (byte === CR || byte === SPACE || byte === TAB) this.endSecret(bytes, at);
        else this.secretByte(bytes, at);
        return at + 1;
      case Mode.url:
        return this.urlByte(bytes, at);
      case Mode.length:
        if (byte >= 48 && byte <= 57) state.length = Math.min(1e15, state.length * 10 + byte - 48);
        return at + 1;
      case Mode.coding:
        state.chunked ||= byte === 99 || byte === 67; // the c of chunked
        return at + 1;
      default:
        return at + 1;
    }
  }

  private urlByte(bytes: Uint8Array, at: number): number {
    const { state } = this;
    const byte = bytes[at]!;
    this.schemeByte(byte);
    if (byte === SPACE || byte === CR) {
      this.endSecret(bytes, at);
      state.url = Url.path;
    } else if (state.url === Url.secret && byte !== 38) this.secretByte(bytes, at);
    else if (state.scheme === 3) {
      state.url = Url.authority;
      state.scheme = 0;
      maskUserinfo(bytes, at + 1);
    } else if (beginsKey(byte, state.url)) {
      this.endSecret(bytes, at);
      state.url = Url.key;
      state.name = '';
    } else if (state.url === Url.key) this.keyByte(byte);
    else if (state.url === Url.authority && byte === 47) state.url = Url.path;
    return at + 1;
  }

  /** Follows "://", which may be cut anywhere. */
  private schemeByte(byte: number): void {
    const { state } = this;
    if (byte === 58) state.scheme = 1;
    else if (byte === 47 && state.scheme > 0) state.scheme++;
    else state.scheme = 0;
  }

  private keyByte(byte: number): void {
    const { state } = this;
    if (byte !== 61) {
      if (state.name.length <= LONGEST_NAME) state.name += String.fromCharCode(byte);
      return;
    }
    // An encoded key may spell a secret one: in doubt it is one.
    const isSecret =
      state.name.length > LONGEST_NAME ||
      state.name.includes('%') ||
      isSecretName(this.policy.queryKeys, state.name);
    state.url = isSecret ? Url.secret : Url.value;
    if (isSecret) this.beginSecret();
  }

  private beginSecret(): void {
    const { markKey } = this.policy;
    this.state.secret = markKey && new SipHash(markKey);
    this.state.inCookieValue = false;
  }

  /** Masks one byte of a secret. In cookies a secret is what stands between '=' and ';'. */
  private secretByte(bytes: Uint8Array, at: number): void {
    const { state } = this;
    const byte = bytes[at]!;
    const isCookies = state.phase === Phase.value && state.mode === Mode.cookies;
    if (isCookies && byte === 59) this.endSecret(bytes, at);
    else if (isCookies && byte === 61 && !state.inCookieValue && state.secret !== undefined) {
      this.beginSecret();
      state.inCookieValue = true;
    } else state.secret?.add(byte);
    bytes[at] = MASK;
  }

  /** Marks the secret that ended before `at`, if its end is in this record; the next may follow. */
  private endSecret(bytes: Uint8Array, at: number): void {
    const { secret } = this.state;
    if (secret === undefined || secret.length === 0) return;
    if (secret.length > MARK_LENGTH && at > MARK_LENGTH) {
      let hash = secret.finish();
      for (let i = at - MARK_LENGTH; i < at; i++) {
        bytes[i] = MARK_DIGITS.charCodeAt(Number(hash & 63n));
        hash >>= 6n;
      }
    }
    this.beginSecret();
  }
}

/** '?', '#', '&' and ';' begin a key; '?' may also be part of one. */
function beginsKey(byte: number, url: number): boolean {
  return byte === 38 || byte === 59 || byte === 35 || (byte === 63 && url !== Url.key);
}

/** Masks `user:password` of an authority that begins at `from`, if there is one. */
function maskUserinfo(bytes: Uint8Array, from: number): void {
  let end = from;
  while (end < bytes.length && !isAuthorityEnd(bytes[end]!)) end++;
  // Cut before the authority ends: whether credentials follow cannot be seen.
  const at = bytes.subarray(from, end).lastIndexOf(64);
  const to = at >= 0 ? from + at : end === bytes.length ? end : from;
  bytes.fill(MASK, from, to);
}

function isAuthorityEnd(byte: number): boolean {
  return byte === 47 || byte === SPACE || byte === CR || byte === LF || byte === 63 || byte === 35;
}
