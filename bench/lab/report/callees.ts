import type { Service, Steps } from '../scenario.js';

/** Mostly quick, one time in `oneIn` slow. */
const skewed = (least: number, most: number, oneIn: number): Steps => [
  {
    chance: 1 / oneIn,
    steps: [{ waitMs: [most * 2, most * 5] }],
    else: [{ waitMs: [least, most] }],
  },
];

/** Four leaves that differ in runtime and in how long they take. */
export function callees(names: readonly ('people' | 'cart' | 'tax' | 'ads')[]): Service[] {
  const all: Service[] = [
    {
      name: 'people',
      runtime: 'go',
      routes: { '/v2': skewed(0.5, 2, 12), '/session': [{ waitMs: [0.3, 0.9] }] },
    },
    {
      name: 'cart',
      runtime: 'node',
      routes: {
        '/items': [{ waitMs: [1, 9] }],
        '/weak': [{ waitMs: [1, 5] }, { chance: 0.15, steps: [{ status: 500 }] }],
      },
    },
    { name: 'tax', runtime: 'go', routes: { '/rate': [{ waitMs: [6, 8] }], '/zone': [] } },
    { name: 'ads', runtime: 'go', routes: { '/pick': skewed(2, 6, 8) } },
  ];
  return all.filter(({ name }) => (names as readonly string[]).includes(name));
}
