import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** A message as llhttp reported it. */
export interface Reported {
  readonly start: number;
  /** Offset of the head's end, -1 if it was not reached. */
  headEnd: number;
  /** Offset of the message's end, -1 if it was not reached. */
  end: number;
  target: string;
  method: string;
  status: number;
}

/** One case of llhttp's Markdown fixtures. */
export interface LlhttpCase {
  /** File and line of the expected log, as in `request/sample.md:12`. */
  readonly name: string;
  readonly kind: 'request' | 'response';
  /** llhttp was told to accept what RFC 9112 does not. */
  readonly lenient: boolean;
  /** llhttp was told that messages have no body. */
  readonly skipBody: boolean;
  readonly input: Uint8Array;
  readonly messages: readonly Reported[];
  /** Code and reason where llhttp stopped, '' where it read on to the end. */
  readonly error: string;
}

/** The raw bytes that a fixture's text stands for (the rules of llhttp's test/md-test.ts). */
function rawText(text: string): string {
  return text
    .replace(/\\\n/g, '')
    .replace(/\n/g, '\r\n')
    .replace(/\\r/g, '\r')
    .replace(/\\n/g, '\n')
    .replace(/\\t/g, '\t')
    .replace(/\\f/g, '\f')
    .replace(/\\x([0-9a-fA-F]{2})/g, (_, hex: string) => String.fromCharCode(parseInt(hex, 16)));
}

/** Applies one line of llhttp's log to the messages so far. */
function apply(line: string, messages: Reported[]): void {
  const [, at, event] = /^off=(\d+) (.*)$/.exec(line) ?? [];
  if (event === undefined) return;
  if (event === 'message begin') {
    const start = Number(at);
    messages.push({ start, headEnd: -1, end: -1, target: '', method: '', status: 0 });
  }
  const message = messages.at(-1);
  if (message === undefined) return;
  const span = /^len=\d+ span\[(\w+)\]="(.*)"$/.exec(event);
  if (span?.[1] === 'method') message.method += span[2];
  if (span?.[1] === 'url') message.target += span[2];
  if (event.startsWith('headers complete')) {
    message.headEnd = Number(at);
    message.status = Number(/ status=(\d+)/.exec(event)?.[1] ?? 0);
  }
  if (event === 'message complete') message.end = Number(at);
}

/** A case is an `http` block and the `log` block after it; the last `meta` comment rules both. */
function parseFile(file: string, text: string): LlhttpCase[] {
  const cases: LlhttpCase[] = [];
  let meta: { type?: string; skipBody?: boolean } = {};
  let input: string | undefined;
  for (const match of text.matchAll(/<!-- meta=(\{.*?\}) -->|```(\w+)\n([\s\S]*?)```/g)) {
    const [, comment, language, block = ''] = match;
    if (comment !== undefined) meta = JSON.parse(comment) as typeof meta;
    if (language === 'http') input = rawText(block.replace(/\n$/, ''));
    if (language !== 'log' || input === undefined) continue;
    const type = meta.type ?? '';
    const log = block.split('\n');
    const messages: Reported[] = [];
    for (const line of log) apply(line, messages);
    const error = log.find((line) => line.includes(' error code='));
    cases.push({
      name: `${file}:${text.slice(0, match.index).split('\n').length}`,
      kind: type.startsWith('response') ? 'response' : 'request',
      lenient: type.includes('lenient'),
      skipBody: meta.skipBody === true,
      input: Buffer.from(input),
      messages,
      error: error === undefined ? '' : error.slice(error.indexOf('code=')),
    });
    input = undefined;
  }
  return cases;
}

/** All cases below the unpacked `test` directory of llhttp. */
export function readLlhttpCases(directory: string): LlhttpCase[] {
  return ['request', 'response'].flatMap((kind) =>
    readdirSync(join(directory, kind))
      .sort()
      .flatMap((name) =>
        parseFile(`${kind}/${name}`, readFileSync(join(directory, kind, name), 'utf8')),
      ),
  );
}
