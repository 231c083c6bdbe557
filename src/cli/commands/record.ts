import { spawnSync } from 'node:child_process';
import { CodedError, describeError } from '../../model/errors.js';
import type { MetricsAddress } from '../../recorder/metrics.js';
import { giveUpCapabilities, openNativeSource, tlsHazard } from '../../recorder/native-source.js';
import { hintsOn } from '../../recorder/platform.js';
import type { RecordControl } from '../../recorder/record.js';
import type { CaptureOptions } from '../../recorder/source.js';
import { createVoice, type Voice } from '../output.js';
import { parseDuration, parseListenAddress } from '../quantities.js';
import {
  adjustable,
  captureOptions,
  fixedChanges,
  parseHints,
  type RecordArgs,
  readArgsAgain,
} from '../record-options.js';
import { listLosses, statsLine } from '../record-stats.js';
import { onInterrupt, onSignal } from '../signals.js';

export const command = 'record';
export const describe = 'Record the HTTP traffic of this host with eBPF into rotating segments';

export { builder } from '../record-options.js';

function describeFilters(capture: CaptureOptions): string {
  const parts: [string, readonly unknown[]][] = [
    ['ports', capture.ports],
    ['pids', capture.pids],
    ['processes', capture.names],
    ['cgroups', capture.cgroups],
  ];
  return parts
    .filter(([, values]) => values.length > 0)
    .map(([name, values]) => `${name} ${values.join(' ')}`)
    .join('; ');
}

/** SIGHUP: the configuration is read again and the open segment closed, SIGUSR1: statistics. */
function obeySignals(args: RecordArgs, control: RecordControl, voice: Voice): () => void {
  let current = args;
  const reload = async () => {
    try {
      const next = await readArgsAgain();
      control.configure(adjustable(next));
      const fixed = fixedChanges(current, next);
      current = next;
      voice.note('configuration read again, segment rotated');
      if (fixed.length > 0) voice.warn(`${fixed.join(', ')}: changes only with a new start`);
    } catch (error) {
      voice.warn(`configuration not changed: ${describeError(error)}`);
    }
    control.rotate();
  };
  const offHangUp = onSignal('SIGHUP', () => void reload());
  const offUser = onSignal('SIGUSR1', () => voice.answer(statsLine(control.stats())));
  return () => {
    offHangUp();
    offUser();
  };
}

/** Root keeps what it has: it may have to write to directories of others. */
function shedPrivileges(attaches: boolean, voice: Voice): void {
  if (process.getuid?.() === 0) return;
  const problem = giveUpCapabilities(attaches);
  if (problem !== '')
    voice.warn(`capabilities that are not needed could not be given up: ${problem}`);
}

async function openMetrics(address: MetricsAddress | undefined) {
  if (address === undefined) return undefined;
  // Loaded only where it is wanted: it costs memory.
  const { serveMetrics } = await import('../../recorder/metrics.js');
  return serveMetrics(address);
}

/** Files are made for a user, by name or uid. */
async function ownFilesAs(user: string): Promise<void> {
  const { ownFilesBy } = await import('../../store/durable-file.js');
  const ask = (what: '-u' | '-g') => {
    const { status, stdout } = spawnSync('id', [what, '--', user], { encoding: 'utf8' });
    if (status === 0) return Number(stdout);
    throw new CodedError('USAGE', 'no such user.', `--user ${user}`);
  };
  ownFilesBy({ uid: ask('-u'), gid: ask('-g') });
}

export async function handler(args: RecordArgs): Promise<number> {
  const { record } = await import('../../recorder/record.js');
  const { Recipients } = await import('../../store/age.js');
  if (args.user !== undefined) await ownFilesAs(args.user);
  const voice = createVoice(args.quiet ?? false);
  const capture = captureOptions(args);
  const listen =
    args.metrics === undefined ? undefined : parseListenAddress('--metrics', args.metrics);
  const options = {
    directory: args.out,
    ...(args.duration === undefined
      ? {}
      : { durationMs: parseDuration('--duration', args.duration) }),
    ...adjustable(args),
    ...(capture.redaction === undefined ? {} : { redaction: capture.redaction }),
    hints: hintsOn(process.arch, parseHints(args.hints)),
    ...(args.encryptTo.length === 0 ? {} : { recipients: new Recipients(args.encryptTo) }),
    filters: describeFilters(capture),
  };
  if (!args.redact) voice.warn('--no-redact: passwords, cookies and tokens are stored as captured');
  if (options.hints.length < parseHints(args.hints).length)
    voice.warn(
      `hints of Go, of event loops and of Node are recorded on x86-64 only, not on ${process.arch}`,
    );
  const interrupt = onInterrupt();
  const hazard = capture.tls ? tlsHazard() : '';
  if (hazard !== '') voice.warn(hazard);
  const source = openNativeSource({ ...capture, tls: capture.tls === true && hazard === '' });
  if (source.info.capture === 'syscall') {
    voice.warn(
      'captured by system calls: every system call of this host costs more, and io_uring is not seen',
    );
  }
  let stopObeying = () => {};
  const metrics = await openMetrics(listen);
  if (metrics !== undefined) voice.note(`metrics at http://${metrics.place}/metrics`);
  const final = await record(options, source, {
    signal: interrupt.signal,
    onStart: (control) => {
      stopObeying = obeySignals(args, control, voice);
      metrics?.begin(control.stats);
      shedPrivileges(options.hints.length > 0 || capture.tls === true, voice);
      voice.note(`recording to ${args.out}; Ctrl-C ends and flushes`);
    },
    onStats: (stats) => voice.progress(statsLine(stats)),
    onNote: voice.note,
    onClosed: ({ path, sha256 }) => voice.note(`closed ${path}, SHA-256 ${sha256}`),
  }).finally(() => {
    stopObeying();
    return metrics?.close();
  });
  voice.endProgress();
  voice.note(`recorded ${statsLine(final)}`);
  if (listLosses(final, ['missing', 'poorer']) !== '')
    voice.warn('records were lost; every loss is in the segments and on page one of a report');
  return interrupt.code();
}
