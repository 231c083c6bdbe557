/**
 * npm run demo: sets everything up, records a small shop live while one of its services is
 * faulty, reconstructs the traces and writes the incident report. Where recording is not
 * possible, the same is done on the recorded fixture of the same shop.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
const DEMO = join(ROOT, 'demo');
const CLI = join(ROOT, 'dist', 'cli', 'main.js');
const FIXTURE = join(ROOT, 'fixtures', 'segments', 'shop');
const LOAD = { seconds: 24, rate: 150 };

function say(text) {
  process.stdout.write(`${text}\n`);
}

function fail(text) {
  process.stderr.write(`demo: ${text}\n`);
  process.exit(1);
}

/** Runs the command line; its result goes to the terminal. @returns its exit code */
function aftertrace(...args) {
  say(`\n$ aftertrace ${args.join(' ').replaceAll(`${ROOT}/`, '')}`);
  return spawnSync(process.execPath, [CLI, ...args], { stdio: 'inherit' }).status;
}

/** Why this machine cannot record, undefined if it can. */
function whyNotLive() {
  const result = spawnSync(process.execPath, [CLI, 'doctor', '--json'], { encoding: 'utf8' });
  try {
    const failed = JSON.parse(result.stdout).filter(({ state }) => state === 'fail');
    if (failed.length === 0) return undefined;
    return failed.map(({ what, found }) => `${what}: ${found}`).join('; ');
  } catch {
    return `the doctor could not look: ${result.stderr}`;
  }
}

async function recordLive() {
  const { recordShop } = await import(
    pathToFileURL(join(ROOT, 'fixtures', 'record-shop.mjs')).href
  );
  const result = await recordShop({
    directory: DEMO,
    ...LOAD,
    onPhase: (text) => say(`- ${text}`),
  });
  say(`- the load driver sent ${result.sent} requests; ${result.failed} failed`);
  say(
    `- ${result.log
      .trim()
      .split('\n')
      .filter((line) => line.startsWith('recorded'))
      .join('')}`,
  );
}

/** Scores the result against what the services logged: the reconstruction never saw that. */
function scoreLine(recording) {
  const bench = join(ROOT, 'bench', 'shop.ts');
  const args = ['--import', 'tsx', bench, recording];
  const result = spawnSync(process.execPath, args, { encoding: 'utf8', cwd: ROOT, maxBuffer: 1e8 });
  if (result.status !== 0) fail(`the score could not be made: ${result.stderr}`);
  const score = JSON.parse(result.stdout);
  const { right, wrong, unknown } = score.total;
  const share = (part) => `${((part / (right + wrong + unknown)) * 100).toFixed(2)} %`;
  say(
    `\nAgainst the truth that the services logged: ${score.foundExchanges} of ${score.expectedExchanges} exchanges found, ${score.joinedHops} of ${score.expectedHops} hops joined;`,
  );
  say(
    `links of calls ${share(right)} right, ${share(wrong)} wrong, ${share(unknown)} left unknown; ${score.traces.whole} of ${score.traces.of} traces whole.`,
  );
}

process.on('SIGINT', () => process.exit(130));
process.on('SIGTERM', () => process.exit(143));

if (
  spawnSync(process.execPath, [join(ROOT, 'scripts', 'setup.mjs'), '--for', 'demo'], {
    stdio: 'inherit',
  }).status !== 0
) {
  fail('set-up failed, see above.');
}
rmSync(DEMO, { recursive: true, force: true });
mkdirSync(DEMO, { recursive: true });
const reason = whyNotLive();
const recording = reason === undefined ? DEMO : FIXTURE;
if (reason === undefined) {
  await recordLive().catch((error) => fail(error.message));
} else {
  say(
    `Recording is not possible here (${reason}); using the recorded fixture of the same shop instead.`,
  );
}
const out = join(DEMO, 'out');
const code = aftertrace('reconstruct', join(recording, 'segments'), '--out', out, '--force');
if (code !== 0 && code !== 3) fail('reconstruct failed, see above.');
if (aftertrace('report', out) !== 0) fail('report failed, see above.');
scoreLine(recording);
const html = join(out, 'report.html');
const size = (readFileSync(html).length / 1024).toFixed(0);
say(`\nThe report: ${html} (${size} KiB, one file, works offline).`);
say(`Open it in a browser: ${pathToFileURL(html).href}`);
say(`As Markdown: ${join(out, 'report.md')}`);
