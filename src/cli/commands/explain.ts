import type { Argv } from 'yargs';
import { EXIT_CODE_HELP, ExitCode } from '../exit-codes.js';
import { print, visible } from '../output.js';

export const command = 'explain <reconstruction> <span>';
export const describe =
  'Say in plain words why a span has the parent it has, and who the rivals were';

export function builder(args: Argv) {
  return args
    .positional('reconstruction', {
      type: 'string',
      demandOption: true,
      describe: 'Directory that `reconstruct --out` wrote',
    })
    .positional('span', {
      type: 'string',
      demandOption: true,
      describe: 'Span id, or the beginning of one',
    })
    .epilogue(EXIT_CODE_HELP);
}

type Args = Awaited<ReturnType<typeof builder>['argv']>;

export async function handler(args: Args): Promise<number> {
  const { explain } = await import('../../report/explain.js');
  for (const line of await explain(args.reconstruction, String(args.span))) print(visible(line));
  return ExitCode.ok;
}
