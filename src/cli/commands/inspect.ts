import type { Argv } from 'yargs';
import type { Counts } from '../../store/inspect.js';
import { EXIT_CODE_HELP, ExitCode } from '../exit-codes.js';
import { print, requireReadable, visible } from '../output.js';
import { formatBytes, formatCount } from '../quantities.js';
import { formatMoment } from '../window.js';

export const command = 'inspect <paths..>';
export const describe = 'Show what segments and imports hold: time range, events, losses, hosts';

export function builder(args: Argv) {
  return args
    .positional('paths', {
      type: 'string',
      array: true,
      demandOption: true,
      describe: 'Directories of segments or imports, or files of them',
    })
    .options({ json: { type: 'boolean', default: false, describe: 'Print JSON' } })
    .epilogue(EXIT_CODE_HELP);
}

type Args = Awaited<ReturnType<typeof builder>['argv']>;

function countsLine(counts: Counts): string {
  return Object.entries(counts)
    .map(([name, count]) => `${visible(name)} ${formatCount(count)}`)
    .join(', ');
}

function moments(fromNs: string, toNs: string): string {
  return fromNs === ''
    ? 'no events'
    : `${formatMoment(BigInt(fromNs))} .. ${formatMoment(BigInt(toNs))}`;
}

export async function handler(args: Args): Promise<number> {
  const { inspectPaths } = await import('../../store/inspect.js');
  const result = await inspectPaths(args.paths);
  requireReadable([...result.segments, ...result.imports], result.unreadable);
  if (args.json) print(JSON.stringify(result, null, 2));
  else {
    for (const segment of result.segments) {
      const state = segment.partial ? ' (open or crashed)' : '';
      print(`${visible(segment.path)}${state}`);
      print(
        `  ${moments(segment.fromNs, segment.toNs)} · ${formatCount(segment.rows)} rows · ${formatBytes(segment.bytes)}`,
      );
      print(`  ${countsLine(segment.kinds)}`);
      if (Object.keys(segment.losses).length > 0) print(`  LOST ${countsLine(segment.losses)}`);
    }
    for (const host of result.hosts) {
      print(
        `host ${visible(host.host)}, boot ${host.bootId.slice(0, 8)}: ${host.segments} segments, ${formatCount(host.rows)} rows, ${formatBytes(host.bytes)}, ${moments(host.fromNs, host.toNs)}`,
      );
    }
    for (const imported of result.imports) {
      print(visible(imported.path));
      print(
        `  ${moments(imported.fromNs, imported.toNs)} · ${formatCount(imported.exchanges)} exchanges · ${formatBytes(imported.bytes)}`,
      );
      print(
        `  imported from ${imported.format}, parents ${imported.parentsKept ? 'kept' : 'forgotten'}; services ${visible(imported.services.join(', '))}`,
      );
    }
    const losses = countsLine(result.losses);
    if (result.segments.length > 0) print(losses === '' ? 'lost: nothing' : `LOST: ${losses}`);
  }
  for (const warning of result.warnings) process.stderr.write(`warning: ${visible(warning)}\n`);
  return result.unreadable.length > 0 ? ExitCode.partial : ExitCode.ok;
}
