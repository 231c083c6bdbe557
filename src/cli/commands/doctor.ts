import pc from 'picocolors';
import type { Argv } from 'yargs';
import { examine } from '../../recorder/doctor.js';
import { EXIT_CODE_HELP, ExitCode } from '../exit-codes.js';
import { print } from '../output.js';

export const command = 'doctor';
export const describe = 'Say what works on this host, what does not, and what to do';

export function builder(args: Argv) {
  return args
    .options({
      out: { type: 'string', alias: 'o', describe: 'Directory that recordings would go to' },
      json: { type: 'boolean', default: false, describe: 'Print JSON' },
    })
    .epilogue(EXIT_CODE_HELP);
}

type Args = Awaited<ReturnType<typeof builder>['argv']>;

const COLOURS = { ok: pc.green, warn: pc.yellow, fail: pc.red } as const;

export async function handler(args: Args): Promise<number> {
  const checks = examine(args.out);
  if (args.json) print(JSON.stringify(checks, null, 2));
  else {
    for (const { state, what, found, fix } of checks) {
      print(`${COLOURS[state](state.padEnd(4))} ${what.padEnd(22)} ${found}`);
      if (fix !== '') print(`${' '.repeat(28)}-> ${fix}`);
    }
  }
  return checks.some(({ state }) => state === 'fail') ? ExitCode.failure : ExitCode.ok;
}
