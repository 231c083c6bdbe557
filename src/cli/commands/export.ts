import { basename, join } from 'node:path';
import type { Argv } from 'yargs';
import { CodedError } from '../../model/errors.js';
import { createDirectory } from '../../store/durable-file.js';
import { EXIT_CODE_HELP, ExitCode } from '../exit-codes.js';
import { IDENTITY_OPTION, readIdentityFiles } from '../identity.js';
import { print, requireReadable, visible } from '../output.js';

export const command = 'export <segments..>';
export const describe = 'Write segments in another form';

export function builder(args: Argv) {
  return args
    .positional('segments', {
      type: 'string',
      array: true,
      demandOption: true,
      describe: 'Directories of segments, or segment files',
    })
    .options({
      compat: {
        type: 'boolean',
        demandOption: true,
        describe: 'Parquet for old readers such as parquetjs-lite: snappy, no dictionaries',
      },
      out: {
        type: 'string',
        alias: 'o',
        demandOption: true,
        describe: 'Directory for the exported files',
      },
      identity: IDENTITY_OPTION,
    })
    .example('$0 export tape --compat --out old', 'files that parquetjs-lite reads correctly')
    .epilogue(EXIT_CODE_HELP);
}

type Args = Awaited<ReturnType<typeof builder>['argv']>;

export async function handler(args: Args): Promise<number> {
  const { readCatalog } = await import('../../store/catalog.js');
  const { exportCompat } = await import('../../store/compat.js');
  const { ioError } = await import('../../store/io-error.js');
  if (!args.compat) throw new CodedError('USAGE', 'there is no other form yet.', '--no-compat');
  const identities = await readIdentityFiles(args.identity);
  const { segments, imports, unreadable } = await readCatalog(args.segments, identities);
  requireReadable(segments, unreadable);
  if (segments.length === 0 && imports.length > 0) {
    throw new CodedError('INPUT', 'holds imported spans, not segments.', imports[0]!.path);
  }
  try {
    createDirectory(args.out);
  } catch (cause) {
    throw ioError('OUTPUT', args.out, 'create the directory', cause);
  }
  for (const { path } of segments) {
    const name = basename(path).replace(/\.(parquet|part|arrow)(\.age)?$/, '.compat.parquet');
    await exportCompat(path, join(args.out, name), identities);
    print(join(args.out, name));
  }
  for (const { file, reason } of unreadable)
    process.stderr.write(`warning: ${visible(file)}: ${visible(reason)}\n`);
  return unreadable.length > 0 ? ExitCode.partial : ExitCode.ok;
}
