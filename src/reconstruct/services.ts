import { basename, extname } from 'node:path/posix';

/** Programs that run somebody else's code: the script names the service, not they. */
const INTERPRETERS =
  /^(node|nodejs|bun|deno|python[\d.]*|pypy[\d.]*|ruby[\d.]*|perl[\d.]*|php[\d.-]*|java|tsx|ts-node|sh|bash)$/;
/** Launchers that appear as the script but whose next argument is the application. */
const LAUNCHERS = /^(gunicorn|uvicorn|hypercorn|flask|uwsgi|npm|npx|tsx|ts-node|pm2)$/;
/** Options whose value follows as an argument of its own. */
const VALUE_OPTIONS = new Set([
  '-r',
  '--require',
  '--import',
  '--loader',
  '-C',
  '--conditions',
  '-W',
  '-X',
  '-cp',
  '-classpath',
  '--class-path',
  '-p',
  '--module-path',
  '--add-modules',
  '-b',
  '--bind',
  '-w',
  '--workers',
  '-k',
  '--worker-class',
  '--threads',
]);

function firstWords(args: readonly string[]): string[] {
  const words: string[] = [];
  for (let i = 0; i < args.length; i++) {
    const arg = args[i]!;
    if (arg === '-m' || arg === '-jar') continue; // the next argument is the program
    if (VALUE_OPTIONS.has(arg)) i++;
    else if (arg !== '' && !arg.startsWith('-')) words.push(arg);
  }
  return words;
}

/** `app/main.py` -> main, `com.shop.PaymentServer` -> payment-server, `app:create()` -> app. */
function stem(word: string): string {
  const module = word.split(':')[0]!;
  const file = basename(module);
  const known = /\.(m?[jt]s|c[jt]s|py|rb|pl|php|jar|java|class|sh)$/.test(file);
  const name = known ? basename(file, extname(file)) : (file.split('.').at(-1) ?? file);
  return name
    .replace(/([a-z0-9])([A-Z])/g, '$1-$2')
    .toLowerCase()
    .replace(/[^a-z0-9_.-]/g, '-');
}

/**
 * Names the service a process belongs to, from its command line: the script of an
 * interpreter, the application of a launcher (gunicorn app:app), the main class or
 * jar of Java, otherwise the executable. Generic script names (index, main, server,
 * app) take their directory's name. Falls back to the task name, then to the pid.
 */
export function serviceName(process: {
  readonly pid: number;
  readonly name: string;
  readonly executable: string;
  readonly command: readonly string[];
}): string {
  // Servers such as nginx rewrite their title: "nginx: worker process".
  const title = /^([\w.-]+): /.exec(process.command[0] ?? '')?.[1];
  if (title !== undefined) return stem(title);
  const program = basename(process.command[0] ?? process.executable);
  if (!INTERPRETERS.test(program) && !LAUNCHERS.test(program)) {
    return stem(program) || stem(process.name) || `pid-${process.pid}`;
  }
  const words = firstWords(process.command.slice(1));
  const word = LAUNCHERS.test(basename(words[0] ?? '')) ? (words[1] ?? words[0]) : words[0];
  if (word === undefined) return stem(program) || `pid-${process.pid}`;
  const name = stem(word);
  const parent = word.split('/').at(-2);
  const generic = /^(index|main|server|app|wsgi|asgi|manage|cli|__main__)$/.test(name);
  return generic && parent !== undefined && parent !== '' ? stem(parent) : name;
}
