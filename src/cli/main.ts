#!/usr/bin/env node
import yargs from 'yargs';
import { hideBin } from 'yargs/helpers';
import { CodedError } from '../model/errors.js';
import { VERSION } from '../model/tool.js';
import { EXIT_CODE_HELP } from './exit-codes.js';
import { reportError } from './output.js';

/** Each command loads its use case only when it is called. */
const COMMANDS = [
  'record',
  'reconstruct',
  'report',
  'explain',
  'import',
  'inspect',
  'export',
  'doctor',
] as const;

// A reader that closes early (`| head`) is no error.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0);
  throw error;
});

function usageError(message: string | undefined, error: Error | undefined): never {
  if (error instanceof CodedError) throw error;
  // yargs tells of values that are no choice in lines of a list.
  const text = (message ?? error?.message ?? 'wrong usage').replace(/\s*\n\s*/g, ' ');
  const sentence = /[.!?]$/.test(text) ? text : `${text}.`;
  throw new CodedError('USAGE', sentence, '', 'See `aftertrace --help`.');
}

/** yargs makes '' of an option without its value, and a list of one that is given twice. */
function checkValues(argv: Readonly<Record<string, unknown>>, options: unknown): true {
  const { array: lists } = options as { readonly array: readonly string[] };
  for (const [name, value] of Object.entries(argv)) {
    // Aliases and the camelCase twins of options hold the same values again.
    if (name.length === 1 || name === '$0' || /[A-Z]/.test(name)) continue;
    if (value === '') throw new CodedError('USAGE', 'needs a value.', `--${name}`);
    if (Array.isArray(value) && !lists.includes(name)) {
      throw new CodedError('USAGE', 'was given more than once.', `--${name}`, 'Give it once.');
    }
  }
  return true;
}

/** yargs takes a lone `-` for an argument of its own; after a flag it is the flag's value. */
function joinDashes(args: readonly string[]): string[] {
  const joined: string[] = [];
  for (const arg of args) {
    const flag = joined.at(-1) ?? '';
    if (arg === '-' && /^--[^=]+$/.test(flag)) joined[joined.length - 1] = `${flag}=-`;
    else joined.push(arg);
  }
  return joined;
}

async function buildParser(args: readonly string[], done: (code: number) => void) {
  const parser = yargs(joinDashes(args))
    .scriptName('aftertrace')
    .usage(
      '$0 <command>\n\nA flight recorder for HTTP services, and the laboratory that reads the tape.',
    )
    .env('AFTERTRACE')
    .options({
      quiet: { type: 'boolean', alias: 'q', describe: 'Results, warnings and errors only' },
      verbose: { type: 'boolean', alias: 'v', describe: 'Print stacks of errors' },
    })
    .version(VERSION)
    .alias('h', 'help')
    .strict()
    .recommendCommands()
    .check(checkValues, true)
    .demandCommand(1, 'a command is missing')
    .completion('completion', 'Print a completion script for bash or zsh')
    .wrap(Math.min(110, process.stdout.columns || 100))
    .exitProcess(false)
    .fail(usageError)
    .epilogue(EXIT_CODE_HELP);
  for (const name of COMMANDS) {
    const { handler, ...module } = await import(`./commands/${name}.js`);
    parser.command({ ...module, handler: async (argv) => done(await handler(argv)) });
  }
  return parser;
}

async function main(): Promise<number> {
  const args = hideBin(process.argv);
  const isVerbose = args.includes('-v') || args.includes('--verbose');
  let code = 0;
  try {
    const parser = await buildParser(args, (result) => {
      code = result;
    });
    await parser.parseAsync();
  } catch (error) {
    return reportError(error, isVerbose);
  }
  return code;
}

process.exitCode = await main();
