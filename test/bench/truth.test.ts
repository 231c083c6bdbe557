import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { keyOf, readTruth } from '../../bench/accuracy/truth.js';
import { useTemporaryDirectories } from '../store/temporary.js';
import { keyFrom } from './spans.js';

const temporaryDirectory = useTemporaryDirectories();

test('logs say who called for whom, and what was served, away from the ends of the recording', () => {
  const directory = temporaryDirectory();
  const log = (name: string, lines: readonly object[]) =>
    writeFileSync(
      join(directory, name),
      `${lines.map((line) => JSON.stringify(line)).join('\n')}\n`,
    );
  log('load.jsonl', [
    { in: null, out: keyFrom('1'), t: 5000 },
    { in: null, out: keyFrom('2'), t: 1500 },
    { in: null, out: keyFrom('3'), t: 9500 },
  ]);
  log('cart.jsonl', [
    { in: keyFrom('1'), out: keyFrom('a'), t: 5001 },
    { in: keyFrom('1'), status: 200, t: 5002 },
    { in: null, status: 200, t: 5003 },
  ]);
  writeFileSync(join(directory, 'notes.txt'), 'not JSON');
  const truth = readTruth(directory, { from: 1000, to: 10_000 });
  expect(truth.parentOf).toEqual(
    new Map([
      [keyFrom('1'), null],
      [keyFrom('a'), keyFrom('1')],
    ]),
  );
  expect(truth.callerOf).toEqual(
    new Map([
      [keyFrom('1'), 'load'],
      [keyFrom('a'), 'cart'],
    ]),
  );
  expect(truth.served).toEqual(new Set([keyFrom('1')]));
});

test('the key of a hop is read from the query, and from nowhere else', () => {
  const key = '0123456789abcdef';
  expect(keyOf(`/a?k=${key}`)).toBe(key);
  expect(keyOf(`/a?b=1&k=${key}&c=2`)).toBe(key);
  expect(keyOf(`/a?bk=${key}`)).toBeUndefined();
  expect(keyOf(`/k=${key}`)).toBeUndefined();
  expect(keyOf('/a?k=123')).toBeUndefined();
});
