import { expect, it } from 'vitest';
import { EventKind } from '../../src/model/event.js';
import { whyEncrypted } from '../../src/model/tls.js';
import { buildProcesses } from '../../src/reconstruct/processes.js';
import { listEncrypted } from '../../src/reconstruct/summary.js';

function described(pid: number, executable: string, tls?: string) {
  const detail = { executable, command: [executable], cgroup: '', startTicks: pid, tls };
  return {
    kind: EventKind.process,
    timeNs: '1000',
    pid,
    tid: pid,
    parent: 1,
    name: executable.slice(1),
    detail: JSON.stringify(detail),
  };
}

it('says once per service and host why its TLS stays encrypted', () => {
  const events = [
    described(10, '/api', 'go'),
    described(11, '/api', 'go'),
    described(12, '/web', 'plaintext'),
    described(13, '/old', 'refused: Permission denied'),
    described(14, '/plain'),
  ];
  const pids = events.map(({ pid }) => pid);
  const processes = buildProcesses([{ events, pids }], 0n);
  expect(listEncrypted(processes, ['host-a'])).toEqual([
    { service: 'api', host: 'host-a', reason: 'Go has its own TLS' },
    {
      service: 'old',
      host: 'host-a',
      reason: 'its TLS library was not probed, refused: Permission denied',
    },
  ]);
});

it.each([
  [undefined, ''],
  ['', ''],
  ['plaintext', ''],
  ['java', 'Java has its own TLS'],
  ['no-symbols', 'its TLS library has no symbols'],
])('explains %s', (found, words) => {
  expect(whyEncrypted(found)).toBe(words);
});
