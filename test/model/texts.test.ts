import { describe, expect, it } from 'vitest';
import { CodedError, describeError } from '../../src/model/errors.js';
import { parseEvidence } from '../../src/model/evidence.js';

describe('describeError', () => {
  it('says place, message and remedy in one line', () => {
    const error = new CodedError('INPUT', 'is damaged.', 'a.parquet', 'Record again.');
    expect(describeError(error)).toBe('a.parquet: is damaged. Record again.');
    expect(describeError(new CodedError('USAGE', 'no input.'))).toBe('no input.');
  });

  it('takes anything that may be thrown', () => {
    expect(describeError(new TypeError('x'))).toBe('x');
    expect(describeError('text')).toBe('text');
    expect(describeError(undefined)).toBe('undefined');
  });

  it('keeps the cause, and has none where none was given', () => {
    const cause = new Error('disk');
    expect(new CodedError('OUTPUT', 'm', '', '', cause).cause).toBe(cause);
    expect('cause' in new CodedError('OUTPUT', 'm')).toBe(false);
  });
});

describe('parseEvidence', () => {
  const item = { rule: 'forward', weight: 2.5, text: 'last read on this thread' };

  it('reads items', () => {
    expect(parseEvidence(JSON.stringify([item, item]))).toEqual([item, item]);
  });

  it.each(['', '{', 'null', '7', '{"rule":"x"}', '[null,7,{"rule":1,"weight":1,"text":""}]'])(
    'takes %j for no evidence',
    (json) => {
      expect(parseEvidence(json)).toEqual([]);
    },
  );

  it('leaves out only the items that are not of its form', () => {
    const odd = { ...item, weight: '2' };
    expect(parseEvidence(JSON.stringify([odd, item]))).toEqual([item]);
  });
});
