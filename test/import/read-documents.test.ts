import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { readDocuments } from '../../src/import/read-documents.js';
import { useTemporaryDirectories } from '../store/temporary.js';

const temporaryDirectory = useTemporaryDirectories();

/** All documents of a file with these bytes, and all complaints about it. */
async function read(bytes: string | Buffer) {
  const path = join(temporaryDirectory(), 'spans');
  writeFileSync(path, bytes);
  const documents: [number, unknown][] = [];
  const complaints: [number, string][] = [];
  for await (const { line, value } of readDocuments(path, (...said) => complaints.push(said))) {
    documents.push([line, value]);
  }
  return { documents, complaints };
}

test('one document a line; blank lines, CRLF, a byte order mark and U+2028 do no harm', async () => {
  const text = `\uFEFF{"a":1}\r\n\n  \n{"b":"x\u2028y"}\n[3]`;
  expect(await read(text)).toEqual({
    documents: [
      [1, { a: 1 }],
      [4, { b: 'x\u2028y' }],
      [5, [3]],
    ],
    complaints: [],
  });
});

test('one document over many lines', async () => {
  const value = { data: [{ spans: [] }, { spans: [1, 2] }] };
  const pretty = JSON.stringify(value, null, 2);
  expect(await read(pretty)).toEqual({ documents: [[1, value]], complaints: [] });
  const oneElement = '[\n{"a":1}\n]\n';
  expect(await read(oneElement)).toEqual({ documents: [[1, [{ a: 1 }]]], complaints: [] });
});

test('bad lines are told by number, wherever they stand', async () => {
  const bad = 'is not JSON.';
  expect(await read('{"a":1}\nrubbish\n{"b":2}\n{"c":')).toEqual({
    documents: [
      [1, { a: 1 }],
      [3, { b: 2 }],
    ],
    complaints: [
      [2, bad],
      [4, bad],
    ],
  });
  expect(await read('{"cut":\n{"a":1}\n')).toEqual({
    documents: [[2, { a: 1 }]],
    complaints: [[1, bad]],
  });
  expect(await read('rubbish\nmore\n{"a":1}\n')).toEqual({
    documents: [[3, { a: 1 }]],
    complaints: [
      [1, bad],
      [2, bad],
    ],
  });
});

test('what is no JSON at all is told once', async () => {
  const complaints = [[1, 'is not JSON, nor JSON lines.']];
  const pretty = JSON.stringify({ data: [{ spans: ['x'] }] }, null, 2);
  for (const text of ['rubbish\nand more\n', pretty.slice(0, -5), randomBytes(5000)]) {
    const { documents, complaints: said } = await read(text);
    expect(documents).toEqual([]);
    expect(said.length).toBe(1);
  }
  expect((await read('no\nno\n')).complaints).toEqual(complaints);
});

test('an empty file holds nothing', async () => {
  for (const bytes of ['', '\n\n', gzipSync('')]) {
    expect(await read(bytes)).toEqual({ documents: [], complaints: [] });
  }
});

const MANY = Array.from(
  { length: 20_000 },
  (_, i) => `${JSON.stringify({ i, pad: `${i}`.repeat(9) })}\n`,
);

test('gzip, also of several members, reads as its content', async () => {
  const half = MANY.length / 2;
  const members = [MANY.slice(0, half), MANY.slice(half)].map((part) => gzipSync(part.join('')));
  const { documents, complaints } = await read(Buffer.concat(members));
  expect(complaints).toEqual([]);
  expect(documents.map(([line]) => line)).toEqual(MANY.map((_, i) => i + 1));
});

test.each([0.99, 0.5, 0.1])(
  'of gzip cut at %f the whole lines are kept, and the cut is told',
  async (share) => {
    const whole = gzipSync(MANY.join(''));
    const { documents, complaints } = await read(whole.subarray(0, whole.length * share));
    const count = documents.length;
    expect(count).toBeGreaterThan(MANY.length * share * 0.7);
    expect(documents.at(-1)).toEqual([count, JSON.parse(MANY[count - 1]!)]);
    expect(complaints).toEqual([[count + 1, 'ends in the middle of its gzip data.']]);
  },
);

test('of damaged gzip what comes before the damage is kept', async () => {
  const bytes = gzipSync(MANY.join(''));
  bytes.fill(0xff, bytes.length >> 1);
  const { documents, complaints } = await read(bytes);
  // Damage shows only some time after it begins.
  const good = documents.filter(([line, value]) =>
    isDeepStrictEqual(value, JSON.parse(MANY[line - 1]!)),
  );
  expect(good.length).toBeGreaterThan(MANY.length * 0.3);
  expect(complaints.at(-1)![1]).toMatch(/gzip data\.$/);
});

test('a gzip header alone is a cut file', async () => {
  const { documents, complaints } = await read(gzipSync('x').subarray(0, 5));
  expect([documents, complaints]).toEqual([[], [[0, 'ends in the middle of its gzip data.']]]);
});

test('a file that cannot be read is told as a whole', async () => {
  const complaints: [number, string][] = [];
  const directory = temporaryDirectory();
  for (const path of [join(directory, 'missing'), directory]) {
    for await (const _ of readDocuments(path, (...said) => complaints.push(said)))
      throw new Error();
  }
  expect(complaints).toEqual([
    [0, 'cannot read: no such file or directory. Check the path.'],
    [0, 'cannot read: is a directory, not a file. Name a file.'],
  ]);
});
