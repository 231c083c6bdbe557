import { expect, test } from 'vitest';
import { SAMPLE_ALL, sampleKey } from '../../src/model/sample.js';

test('both ends of a connection have the same key, IPv4 as mapped IPv6 too', () => {
  const there = sampleKey('10.0.0.1', 41_000, '10.0.0.2', 80);
  expect(sampleKey('10.0.0.2', 80, '10.0.0.1', 41_000)).toBe(there);
  expect(sampleKey('::ffff:10.0.0.2', 80, '::ffff:a00:1', 41_000)).toBe(there);
  expect(sampleKey('fe80::1', 1, '2001:db8::7', 2)).toBe(sampleKey('2001:db8::7', 2, 'fe80::1', 1));
});

test('keys spread evenly over neighbouring ports, and are never 0', () => {
  const halves = [0, 0, 0, 0];
  for (let port = 32_768; port < 42_768; port++) {
    const key = sampleKey('127.0.0.1', port, '127.0.0.1', 8080);
    expect(key).toBeGreaterThan(0);
    halves[Math.floor((key / (SAMPLE_ALL + 1)) * 4)]!++;
  }
  // Four standard deviations of a binomial of 10,000 at 1/4 are 173.
  for (const count of halves) expect(Math.abs(count - 2500)).toBeLessThan(173);
});

test('text that is no address gives some key and does not throw', () => {
  for (const text of ['', 'x', '1.2.3', ':::', '1:2:3:4:5:6:7:8:9:10']) {
    expect(sampleKey(text, 0, text, 0)).toBeGreaterThan(0);
  }
});
