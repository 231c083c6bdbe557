import { expect, test } from 'vitest';
import { spanId, traceIdOfRoot } from '../../src/model/ids.js';

const BOOT = '0f8c2b1e-9a64-4d7e-8a43-2f6b5c1d7e90';

test('ids are what they were: reruns and older files must compare equal', () => {
  const id = spanId(BOOT, 18_446_744_073_709_551_615n, 1, 4_294_967_295, 7);
  expect(id).toBe('7f7a252760ea6632');
  expect(traceIdOfRoot(id)).toBe('cdc62528398ec6b2ab11ee8ddc0eed48');
});

test('every part of a name makes another id', () => {
  const ids = [
    spanId(BOOT, 1n, 0, 2, 3),
    spanId('another', 1n, 0, 2, 3),
    spanId(BOOT, 2n, 0, 2, 3),
    spanId(BOOT, 1n, 1, 2, 3),
    spanId(BOOT, 1n, 0, 3, 3),
    spanId(BOOT, 1n, 0, 2, 4),
    // Parts must not run into each other.
    spanId(BOOT, 10n, 2, 3, 3),
    spanId(BOOT, 1n, 0, 23, 3),
    spanId(BOOT, 1n, 0, 2, 33),
  ];
  expect(new Set(ids).size).toBe(ids.length);
  for (const id of ids) {
    expect(id).toMatch(/^[0-9a-f]{16}$/);
    expect(traceIdOfRoot(id)).toMatch(/^[0-9a-f]{32}$/);
  }
});
