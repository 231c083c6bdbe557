import { expect, test } from 'vitest';
import { routeTemplate } from '../../src/model/route.js';

test.each([
  ['/', '/'],
  ['', ''],
  ['*', '*'],
  ['/cart/items', '/cart/items'],
  ['/cart/4711/items?x=1', '/cart/{id}/items'],
  ['/cart/4711/', '/cart/{id}/'],
  ['/a#4711', '/a'],
  ['/users/8c1f4b9e-22ad-4e2f-9d3c-0b6a5d1f7e90', '/users/{id}'],
  ['/blob/deadbeefcafe0123', '/blob/{id}'],
  ['/item/sku-42', '/item/{id}'],
  ['/user42/a', '/{id}/a'],
  ['/t/dGhpcyBp1cyBhIHRva2Vu', '/t/{id}'],
  ['/1/2/3', '/{id}/{id}/{id}'],
  ['http://shop:8080/cart/7?x=http://y/', '/cart/{id}'],
  ['https://shop', ''],
  // Versions and words name kinds of things.
  ['/api/v1/users/7', '/api/v1/users/{id}'],
  ['/V2/checkout', '/V2/checkout'],
  ['/checkout-step/confirm_order', '/checkout-step/confirm_order'],
  ['/static/app.css', '/static/app.css'],
])('%s is of the kind %s', (target, template) => {
  expect(routeTemplate(target)).toBe(template);
});

test('hostile targets take time in proportion to their length', () => {
  const started = performance.now();
  for (const part of ['1', 'a', '-', 'a1', '/', 'f-', '-1']) {
    for (const end of ['', '!', '/!']) routeTemplate(`/${part.repeat(50_000)}${end}`);
  }
  // Looking again from every character would take minutes.
  expect(performance.now() - started).toBeLessThan(2000);
});
