import { closeSync, openSync, readSync } from 'node:fs';
import { basename } from 'node:path';
import type { RuntimeName } from '../model/hints.js';

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

/**
 * Which runtime a process runs, from the name of its executable and the libraries it has mapped.
 *
 * @param executable path of the executable as /proc shows it, '' if it could not be read
 */
export function detectRuntime(pid: number, executable: string): RuntimeName {
  if (executable === '') return '';
  const name = basename(executable.replace(/ \(deleted\)$/, ''));
  return match(EXECUTABLES, name) ?? match(LIBRARIES, readMaps(pid)) ?? 'native';
}
