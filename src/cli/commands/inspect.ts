import type { Argv } from 'yargs';
import { CodedError } from '../../model/errors.js';
import type { Counts } from '../../store/inspect.js';
import type { VerifyResult } from '../../store/verify.js';
import { EXIT_CODE_HELP, ExitCode } from '../exit-codes.js';
import { IDENTITY_OPTION, readIdentityFiles } from '../identity.js';
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
    .options({
      json: { type: 'boolean', default: false, describe: 'Print JSON' },
      verify: {
        type: 'boolean',
        default: false,
        describe: 'Check that no segment was altered, removed or renamed (reads every byte)',
      },
      head: {
        type: 'string',
        describe: 'With --verify: the SHA-256 of a segment, as the recorder printed it',
      },
      identity: IDENTITY_OPTION,
    })
    .example('$0 inspect /var/lib/aftertrace --verify', 'exit code 1 if the chain is broken')
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

function printVerified(result: VerifyResult, json: boolean): number {
  const { segments, problems, unreadable, limits } = result;
  if (json) print(JSON.stringify(result, null, 2));
  else {
    const vouched = segments.filter(({ vouchedBy }) => vouchedBy !== '').length;
    print(`${segments.length} closed segments, ${vouched} of them vouched for`);
    for (const { file, breach, text } of problems) {
      print(`${breach.toUpperCase()} ${visible(file)}: ${visible(text)}`);
    }
    print(problems.length === 0 ? 'no breach of the chain found' : 'THE CHAIN IS BROKEN');
    for (const { path, sha256, vouchedBy } of segments) {
      if (vouchedBy === 'head') print(`newest: ${sha256}  ${visible(path)}`);
    }
  }
  for (const limit of limits) process.stderr.write(`note: ${visible(limit)}\n`);
  for (const { file, reason } of unreadable) {
    process.stderr.write(`warning: ${visible(file)}: ${visible(reason)}\n`);
  }
  if (problems.length > 0) return ExitCode.failure;
  return unreadable.length > 0 ? ExitCode.partial : ExitCode.ok;
}

function checkHead({ head, verify }: Args): void {
  if (head === undefined) return;
  if (!verify) throw new CodedError('USAGE', 'needs --verify.', '--head');
  if (!/^[0-9a-f]{64}$/i.test(head)) {
    throw new CodedError('USAGE', 'is not a SHA-256 of 64 hex digits.', `--head ${head}`);
  }
}

export async function handler(args: Args): Promise<number> {
  checkHead(args);
  const identities = await readIdentityFiles(args.identity);
  if (args.verify) {
    const { verifyPaths } = await import('../../store/verify.js');
    return printVerified(await verifyPaths(args.paths, identities, args.head), args.json);
  }
  const { inspectPaths } = await import('../../store/inspect.js');
  const result = await inspectPaths(args.paths, identities);
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
      const encrypted = Object.entries(segment.encrypted).map(([name, why]) => `${name} (${why})`);
      if (encrypted.length > 0)
        print(`  TLS stays encrypted: ${visible(encrypted.sort().join(', '))}`);
      if (segment.header.capture === 'syscall')
        print('  captured by system calls: what io_uring moved is known by its size only');
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
