import { parseArgs } from 'node:util';
import { LOADS, type Load, type Scenario } from './scenario.js';
import { SETS, type SetName } from './sets.js';

const USAGE = `Options:
  --set tune|report        which scenarios
  --scenario NAME          only this one; may be repeated
  --concurrency LIST       of ${LOADS.join(',')}
  --scale SHARE            of the usual number of requests, e.g. 0.3 for a quick look
  --keep DIR               leave recordings in DIR/<scenario>/<concurrency>/{segments,truth}
  --in DIR                 score recordings that --keep left there; record nothing
  --record-only            score nothing
  --list                   name the scenarios
`;

export interface LabOptions {
  readonly scenarios: readonly Scenario[];
  readonly loads: readonly Load[];
  readonly scale: number;
  readonly keep?: string;
  readonly from?: string;
  readonly recordOnly: boolean;
  readonly list: boolean;
}

/** Names that are not in the list are refused with the names that are. */
function chosen<T extends string>(
  flag: string,
  wanted: readonly string[],
  known: readonly T[],
): T[] {
  for (const name of wanted) {
    if (!(known as readonly string[]).includes(name)) {
      throw new Error(`${flag} ${name}: no such thing; there are ${known.join(', ')}.`);
    }
  }
  return known.filter((name) => wanted.includes(name));
}

function positive(flag: string, text: string): number {
  const number = Number(text);
  if (number > 0 && Number.isFinite(number)) return number;
  throw new Error(`${flag} ${text}: give a number above 0.`);
}

/** @throws Error that names the flag, where an argument is wrong */
export function parseOptions(args: readonly string[], set: SetName): LabOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      set: { type: 'string', default: set },
      scenario: { type: 'string', multiple: true, default: [] },
      concurrency: { type: 'string', default: LOADS.join(',') },
      scale: { type: 'string', default: '1' },
      keep: { type: 'string' },
      in: { type: 'string' },
      'record-only': { type: 'boolean', default: false },
      list: { type: 'boolean', default: false },
    },
  });
  const names = Object.keys(SETS) as SetName[];
  const scenarios: readonly Scenario[] = SETS[chosen('--set', [values.set], names)[0]!];
  const known = scenarios.map(({ name }) => name);
  const picked =
    values.scenario.length === 0 ? known : chosen('--scenario', values.scenario, known);
  return {
    scenarios: scenarios.filter(({ name }) => picked.includes(name)),
    loads: chosen('--concurrency', values.concurrency.split(','), LOADS),
    scale: positive('--scale', values.scale),
    ...(values.keep !== undefined && { keep: values.keep }),
    ...(values.in !== undefined && { from: values.in }),
    recordOnly: values['record-only'],
    list: values.list,
  };
}

/** Options of the command line; ends the program with a message where they are wrong. */
export function optionsOrExit(set: SetName): LabOptions {
  try {
    return parseOptions(process.argv.slice(2), set);
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n${USAGE}`);
    process.exit(2);
  }
}
