import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Where the controllers for CPU shares and CPU accounting are mounted, and which version they are. */
interface Hierarchy {
  readonly version: 1 | 2;
  /** Root of the hierarchy that shares CPU, and of the one that counts it: one and the same in version 2. */
  readonly share: string;
  readonly count: string;
}

function findHierarchy(): Hierarchy {
  const mounts = readFileSync('/proc/self/mounts', 'utf8')
    .split('\n')
    .map((line) => line.split(' '));
  const controller = (name: string) =>
    mounts.find(([, , type, options]) => type === 'cgroup' && options?.split(',').includes(name));
  const share = controller('cpu')?.[1];
  const count = controller('cpuacct')?.[1];
  if (share !== undefined && count !== undefined) return { version: 1, share, count };
  const unified = mounts.find(([, , type]) => type === 'cgroup2')?.[1];
  if (unified === undefined) throw new Error('no cgroup with a CPU controller is mounted');
  return { version: 2, share: unified, count: unified };
}

/** The cgroup of this process in each hierarchy, as directories. */
function ownGroups({ version, share, count }: Hierarchy): string[] {
  const lines = readFileSync('/proc/self/cgroup', 'utf8').trim().split('\n');
  const pathOf = (controller: string) => {
    const line = lines.find((text) => {
      const names = text.split(':')[1]!;
      return version === 2 ? names === '' : names.split(',').includes(controller);
    });
    return line?.slice(line.indexOf(':', line.indexOf(':') + 1) + 1) ?? '/';
  };
  return [join(share, pathOf('cpu')), join(count, pathOf('cpuacct'))];
}

/** Nanoseconds of CPU, or of another unit, that a file of a controller says. */
function readUsage({ version, count }: Hierarchy, name: string): number {
  const group = join(count, name);
  if (version === 1) return Number(readFileSync(join(group, 'cpuacct.usage'), 'utf8')) / 1e9;
  const text = readFileSync(join(group, 'cpu.stat'), 'utf8');
  return Number(/usage_usec (\d+)/.exec(text)?.[1]) / 1e6;
}

function enter(groups: readonly string[]): void {
  for (const group of new Set(groups)) {
    writeFileSync(join(group, 'cgroup.procs'), String(process.pid));
  }
}

/**
 * A CPU cgroup below `aftertrace-bench`, which outweighs everything else on the host: other work
 * on the machine then delays what is measured as little as possible. Needs root.
 */
export class CpuGroup {
  readonly #hierarchy = findHierarchy();
  readonly #name: string;

  constructor(name: string) {
    this.#name = join('aftertrace-bench', name);
    const { version, share, count } = this.#hierarchy;
    if (version === 2) {
      writeFileSync(join(share, 'cgroup.subtree_control'), '+cpu');
    }
    for (const root of [share, count]) mkdirSync(join(root, this.#name), { recursive: true });
    const [file, most] = version === 1 ? ['cpu.shares', '40960'] : ['cpu.weight', '10000'];
    writeFileSync(join(share, 'aftertrace-bench', file), most);
  }

  /** Runs `start` with this process inside the group, so that its children begin there. */
  async run<T>(start: () => T | Promise<T>): Promise<T> {
    const before = ownGroups(this.#hierarchy);
    enter([join(this.#hierarchy.share, this.#name), join(this.#hierarchy.count, this.#name)]);
    try {
      return await start();
    } finally {
      enter(before);
    }
  }

  /** CPU seconds that everything in the group has used so far. */
  seconds(): number {
    return readUsage(this.#hierarchy, this.#name);
  }

  /** Removes the group once nothing runs in it. */
  remove(): void {
    for (const root of new Set([this.#hierarchy.share, this.#hierarchy.count])) {
      const directory = join(root, this.#name);
      if (existsSync(directory)) rmdirSync(directory);
    }
  }
}
