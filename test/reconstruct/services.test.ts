import { describe, expect, it } from 'vitest';
import { serviceName } from '../../src/reconstruct/services.js';

function name(command: string[], comm = 'comm'): string {
  return serviceName({ pid: 7, name: comm, executable: command[0] ?? '', command });
}

describe('serviceName', () => {
  it.each([
    [['node', '/srv/shop.mjs'], 'shop'],
    [
      ['/usr/bin/node', '--import', 'tsx', '--max-old-space-size=64', 'apps/cart/index.js', '8080'],
      'cart',
    ],
    [['python3', '-u', 'catalog.py', '8102'], 'catalog'],
    [['python3', '-m', 'http.server', '8000'], 'server'],
    [['/usr/bin/python3', '/usr/bin/gunicorn', '-w', '4', 'orders.wsgi:app'], 'wsgi'],
    [['java', '-cp', '/tmp/classes', 'PaymentServer', '8103'], 'payment-server'],
    [['java', '-Dx=y', '-jar', '/opt/billing.jar'], 'billing'],
    [['nginx: worker process'], 'nginx'],
    [['/tmp/build/stock', '8104'], 'stock'],
    [[], 'comm'],
  ])('%j -> %s', (command, expected) => {
    expect(name(command)).toBe(expected);
  });

  it('falls back to the pid', () => {
    expect(name([], '')).toBe('pid-7');
  });

  it('never lets hostile arguments out of the alphabet of names', () => {
    expect(name(['node', '/x/<script>alert(1)</script>.js'])).toMatch(/^[a-z0-9_.-]+$/);
  });
});
