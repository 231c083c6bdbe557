import { accessSync, constants, existsSync, statfsSync } from 'node:fs';
import { release } from 'node:os';
import { dirname, resolve } from 'node:path';
import { HINT_NAMES } from '../model/hints.js';
import type { Capture } from '../model/segment.js';
import { nativeAvailable, tlsHazard, tlsProbesOf } from './native-source.js';
import { ARM64_LACKS, hintsOn, tlsLack } from './platform.js';
import { readSystemFile } from './proc.js';

/** One thing that was looked at. */
export interface Check {
  readonly state: 'ok' | 'warn' | 'fail';
  readonly what: string;
  readonly found: string;
  /** What to do about it; '' if nothing. */
  readonly fix: string;
}

const ok = (what: string, found: string): Check => ({ state: 'ok', what, found, fix: '' });
const warn = (what: string, found: string, fix: string): Check => ({
  state: 'warn',
  what,
  found,
  fix,
});
const fail = (what: string, found: string, fix: string): Check => ({
  state: 'fail',
  what,
  found,
  fix,
});

function checkPlatform(): Check {
  const found = `${process.platform} ${release()}, ${process.arch}, Node ${process.version}`;
  if (process.platform === 'linux' && process.arch === 'x64') return ok('platform', found);
  if (process.platform === 'linux' && process.arch === 'arm64')
    return warn(
      'platform',
      `${found}: compiled for it, not tested; ${ARM64_LACKS}`,
      'Record on x86-64 where you need these.',
    );
  return fail('platform', found, 'Record on x86-64 Linux; reconstruct and report work anywhere.');
}

function checkKernel(): Check {
  const [major = 0, minor = 0] = release().split('.').map(Number);
  if (major > 5 || (major === 5 && minor >= 15)) return ok('kernel', release());
  return fail('kernel', release(), 'Use Linux 5.15 or newer; from 6.3 on recording is cheapest.');
}

/** How sends and receives will be seen. Costs: bench/recorder.ts --capture, docs/cli.md. */
function checkCapture(capture: Capture): Check {
  if (capture === 'socket')
    return ok('capture', 'tracepoints in socket calls: other system calls cost nothing');
  return warn(
    'capture',
    'system calls that return: every one of the host costs about 0.2 µs more; io_uring is not seen',
    'Use Linux 6.3 or newer, which has tracepoints in socket calls.',
  );
}

function checkTypes(): Check {
  const path = '/sys/kernel/btf/vmlinux';
  return existsSync(path)
    ? ok('kernel types (BTF)', path)
    : fail(
        'kernel types (BTF)',
        `${path} is missing`,
        'Use a kernel built with CONFIG_DEBUG_INFO_BTF=y.',
      );
}

/** Capability bits of this process (linux/capability.h). */
const CAPABILITIES = { SYS_ADMIN: 21n, PERFMON: 38n, BPF: 39n } as const;

function checkCapabilities(): Check {
  const text =
    /^CapEff:\s*([0-9a-f]+)/m.exec(readSystemFile('/proc/self/status') ?? '')?.[1] ?? '0';
  const bits = BigInt(`0x${text}`);
  const has = (name: keyof typeof CAPABILITIES) => ((bits >> CAPABILITIES[name]) & 1n) === 1n;
  const isEnough = has('SYS_ADMIN') || (has('BPF') && has('PERFMON'));
  if (isEnough)
    return ok('capabilities', has('SYS_ADMIN') ? 'CAP_SYS_ADMIN' : 'CAP_BPF, CAP_PERFMON');
  return fail(
    'capabilities',
    'neither CAP_BPF and CAP_PERFMON nor CAP_SYS_ADMIN',
    'Run as root, or grant CAP_BPF and CAP_PERFMON.',
  );
}

function checkLockdown(): Check {
  const mode = /\[(\w+)\]/.exec(readSystemFile('/sys/kernel/security/lockdown') ?? '')?.[1];
  if (mode === 'confidentiality') {
    return fail(
      'lockdown',
      mode,
      'Kernel memory cannot be read in this mode: boot with lockdown=integrity or none.',
    );
  }
  return ok('lockdown', mode ?? 'not visible (securityfs is not mounted)');
}

function checkLoad(): Check[] {
  const availability = nativeAvailable();
  if (!availability.ok)
    return [fail('loading the programs', availability.reason, availability.remedy)];
  return [
    ok('loading the programs', 'loaded, verified and released'),
    checkCapture(availability.capture),
    checkTls(),
  ];
}

function checkHints(): Check {
  const offered = hintsOn(process.arch, HINT_NAMES);
  const refused = offered.flatMap((name) => {
    const availability = nativeAvailable([name]);
    return availability.ok ? [] : [{ name, reason: availability.reason }];
  });
  if (refused.length === 0) return ok('hints', offered.join(', '));
  const names = refused.map(({ name }) => name).join(', ');
  return warn(
    'hints',
    `not ${names}: ${refused[0]!.reason}`,
    `Leave them out: --hints ${offered.filter((name) => !names.includes(name)).join(',') || 'none'}.`,
  );
}

/** Where distributions keep OpenSSL and GnuTLS; the Node that runs this brings its own. */
const TLS_LIBRARIES = [
  ...['x86_64-linux-gnu/', '../lib64/', ''].flatMap((directory) =>
    ['libssl.so.3', 'libssl.so.1.1', 'libgnutls.so.30'].map(
      (name) => `/usr/lib/${directory}${name}`,
    ),
  ),
  process.execPath,
];

/** Which TLS libraries give their plaintext, and whether the probes are the cheap ones. */
function checkTls(): Check {
  const hazard = tlsHazard();
  if (tlsLack(process.arch) !== '')
    return warn('plaintext of TLS', hazard, 'Leave it off: --tls off.');
  if (hazard !== '')
    return warn('plaintext of TLS', hazard, 'Use Linux 6.14 or newer, or 6.10 or older.');
  const found = TLS_LIBRARIES.filter(existsSync).flatMap((path) => {
    const probes = tlsProbesOf(path, true);
    const isCheap = probes.every(({ cheap }) => cheap);
    return probes.length === 0 ? [] : [`${path} (${isCheap ? 'cheap' : 'partly dear'})`];
  });
  return ok(
    'plaintext of TLS',
    found.length === 0
      ? 'no known library here; others are found as processes map them'
      : `${found.join(', ')}; Go, Java and rustls stay encrypted`,
  );
}

function checkClock(): Check {
  const source = readSystemFile(
    '/sys/devices/system/clocksource/clocksource0/current_clocksource',
  )?.trim();
  if (source === undefined)
    return warn(
      'clock',
      'clock source not visible',
      'Check that time is synchronised (chronyc tracking).',
    );
  const isSlow = source === 'hpet' || source === 'acpi_pm' || source === 'jiffies';
  if (isSlow)
    return warn(
      'clock',
      source,
      'This clock source is slow to read: every event costs more. Prefer tsc or kvm-clock.',
    );
  return ok('clock', `source ${source}; hosts are aligned by their hops, NTP helps`);
}

/** The directory or the nearest one above it that exists. */
function existing(directory: string): string {
  let at = resolve(directory);
  while (!existsSync(at)) at = dirname(at);
  return at;
}

function checkDisk(directory: string): Check {
  const at = existing(directory);
  try {
    accessSync(at, constants.W_OK);
  } catch {
    return fail('disk', `${at} is not writable`, 'Choose another directory or run as its owner.');
  }
  const { bsize, bavail, blocks } = statfsSync(at);
  const free = (bsize * bavail) / 2 ** 30;
  const found = `${at}: ${free.toFixed(1)} GiB free (${Math.round((bavail / blocks) * 100)} %)`;
  return free >= 1
    ? ok('disk', found)
    : warn('disk', found, 'Free space, or lower --max-total-size.');
}

/** Looks at everything recording needs, from the ground up. @param directory where recordings would go */
export function examine(directory = '.'): Check[] {
  return [
    checkPlatform(),
    checkKernel(),
    checkTypes(),
    checkCapabilities(),
    checkLockdown(),
    ...checkLoad(),
    checkHints(),
    checkClock(),
    checkDisk(directory),
  ];
}
