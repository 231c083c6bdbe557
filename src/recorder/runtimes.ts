import { closeSync, openSync, readSync } from 'node:fs';
import { basename } from 'node:path';
import type { RuntimeName } from '../model/hints.js';
import { readGoBuild } from './go-build.js';
import type { GoLayout } from './go-layout.js';

/** Names of executables that are a runtime, or embed one. */
const EXECUTABLES: readonly (readonly [RegExp, RuntimeName])[] = [
  [/^java$/, 'java'],
  [/^(node|nodejs)$/, 'node'],
  [/^(python|pypy)[\d.]*$/, 'python'],
  [/^(nginx|openresty)$/, 'nginx'],
  [/^haproxy$/, 'haproxy'],
  [/^ruby[\d.]*$/, 'ruby'],
  [/^php(-fpm|-cgi)?[\d.]*$/, 'php'],
  [/^dotnet$/, 'dotnet'],
];

/** Libraries that bring a runtime into any program. */
const LIBRARIES: readonly (readonly [RegExp, RuntimeName])[] = [
  [/\/libjvm\.so$/m, 'java'],
  [/\/libpython[\d.]+m?\.so[\d.]*$/m, 'python'],
  [/\/libnode\.so[\d.]*$/m, 'node'],
  [/\/libruby[-\d.]*\.so[\d.]*$/m, 'ruby'],
  [/\/libcoreclr\.so$/m, 'dotnet'],
];

/** Bytes of /proc/<pid>/maps that are looked at: a few thousand mappings. */
const MOST_MAPS = 512 * 1024;

function readMaps(pid: number): string {
  let fd: number;
  try {
    fd = openSync(`/proc/${pid}/maps`, 'r');
  } catch {
    return '';
  }
  try {
    const buffer = Buffer.alloc(MOST_MAPS);
    let length = 0;
    // The kernel gives a page at a time.
    for (;;) {
      const got = readSync(fd, buffer, length, MOST_MAPS - length, null);
      if (got === 0) break;
      length += got;
    }
    return buffer.toString('latin1', 0, length);
  } catch {
    return '';
  } finally {
    closeSync(fd);
  }
}

function match(
  table: readonly (readonly [RegExp, RuntimeName])[],
  text: string,
): RuntimeName | undefined {
  return table.find(([pattern]) => pattern.test(text))?.[1];
}

/** What was found out about the program of a process. */
export interface DetectedRuntime {
  readonly name: RuntimeName;
  /** '' if the program does not tell. */
  readonly version: string;
  /** Go: where its runtime keeps what hints are read from. */
  readonly go?: GoLayout;
  /** Python: the event loop's library is loaded. */
  readonly asyncio?: boolean;
  /** Python: the library of queues is loaded, with which its pools of threads work. */
  readonly queues?: boolean;
}

/** asyncio comes with a library in C, and so does the loop that is used in its place. */
const ASYNCIO = /\/(_asyncio\.|uvloop\/)[^/\n]*\.so$/m;
const QUEUES = /\/_queue\.[^/\n]*\.so$/m;

function pythonRuntime(maps: string): DetectedRuntime {
  return { name: 'python', version: '', asyncio: ASYNCIO.test(maps), queues: QUEUES.test(maps) };
}

/**
 * Which runtime a process runs, from its executable's name, the build information of Go programs, and
 * the libraries it has mapped.
 *
 * @param executable path of the executable as /proc shows it, '' if it could not be read
 */
export function detectRuntime(pid: number, executable: string): DetectedRuntime {
  if (executable === '') return { name: '', version: '' };
  const file = basename(executable.replace(/ \(deleted\)$/, ''));
  const named = match(EXECUTABLES, file);
  if (named === 'python') return pythonRuntime(readMaps(pid));
  if (named !== undefined) return { name: named, version: '' };
  // Through /proc, which leads to the file although it lies in a container or was deleted.
  const go = readGoBuild(`/proc/${pid}/exe`);
  if (go === undefined) {
    const maps = readMaps(pid);
    const embedded = match(LIBRARIES, maps);
    return embedded === 'python'
      ? pythonRuntime(maps)
      : { name: embedded ?? 'native', version: '' };
  }
  const { version, layout } = go;
  return { name: 'go', version, ...(layout === undefined ? {} : { go: layout }) };
}
