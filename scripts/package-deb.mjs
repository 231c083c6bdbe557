/**
 * Builds the Debian package from what is built here (dist, prebuilds) and the production dependencies in
 * node_modules. Needs dpkg-deb, no root and no network.
 *
 *   node scripts/package-deb.mjs [--out DIRECTORY] [--version VERSION]
 *
 * Plain Node without dependencies, as the other scripts of a checkout.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
const PACKAGING = join(ROOT, 'packaging');
const { version: OWN_VERSION, description } = JSON.parse(
  readFileSync(join(ROOT, 'package.json'), 'utf8'),
);
const ARCHITECTURES = { x64: 'amd64', arm64: 'arm64' };

function fail(text) {
  console.error(`package-deb: ${text}`);
  process.exit(1);
}

function option(name, fallback) {
  const at = process.argv.indexOf(name);
  return at === -1 ? fallback : (process.argv[at + 1] ?? fail(`${name} needs a value.`));
}

/** Directories of the production dependencies below node_modules, as npm installed them. */
function productionModules() {
  const { stdout, status } = spawnSync('npm', ['ls', '--omit=dev', '--all', '--parseable'], {
    cwd: ROOT,
    encoding: 'utf8',
  });
  if (status !== 0) fail('npm ls found the node_modules incomplete: run `npm ci`.');
  return stdout.split('\n').filter((path) => path.startsWith(join(ROOT, 'node_modules')));
}

/** Leaves out what a program does not load: maps, types, sources of the types, documentation. */
const UNUSED =
  /\.(map|md|markdown|ts|mts|cts|flow)$|\/(test|tests|__tests__|docs|example|examples|\.github)$/;

function copyModules(target) {
  for (const path of productionModules()) {
    // Nested modules are named by themselves.
    const filter = (source) => {
      const inside = relative(path, source);
      return inside === '' || !(inside.split('/').includes('node_modules') || UNUSED.test(source));
    };
    cpSync(path, join(target, relative(ROOT, path)), { recursive: true, filter });
  }
}

function stage(root) {
  const library = join(root, 'usr/lib/aftertrace');
  const doc = join(root, 'usr/share/doc/aftertrace');
  for (const directory of [library, doc, join(root, 'usr/bin')]) {
    mkdirSync(directory, { recursive: true });
  }
  for (const name of ['dist', 'prebuilds']) {
    if (!existsSync(join(ROOT, name)))
      fail(`${name} is missing: run \`npm run build\` and build:native.`);
    cpSync(join(ROOT, name), join(library, name), { recursive: true });
  }
  cpSync(join(ROOT, 'package.json'), join(library, 'package.json'));
  copyModules(library);
  symlinkSync('../lib/aftertrace/dist/cli/main.js', join(root, 'usr/bin/aftertrace'));
  chmodSync(join(library, 'dist/cli/main.js'), 0o755);
  const etc = join(root, 'etc/aftertrace');
  const units = join(root, 'lib/systemd/system');
  mkdirSync(etc, { recursive: true });
  mkdirSync(units, { recursive: true });
  cpSync(join(PACKAGING, 'aftertrace.conf'), join(etc, 'aftertrace.conf'));
  cpSync(join(PACKAGING, 'aftertrace.service'), join(units, 'aftertrace.service'));
  cpSync(join(ROOT, 'LICENSE'), join(doc, 'copyright'));
  for (const name of readdirSync(join(ROOT, 'docs')).filter((file) => file.endsWith('.md'))) {
    cpSync(join(ROOT, 'docs', name), join(doc, name));
  }
}

/** Sizes of all files below, KiB. */
function installedSize(directory) {
  let bytes = 0;
  for (const entry of readdirSync(directory, { withFileTypes: true, recursive: true })) {
    if (entry.isFile()) bytes += statSync(join(entry.parentPath ?? entry.path, entry.name)).size;
  }
  return Math.ceil(bytes / 1024);
}

function control(root, version, architecture) {
  const directory = join(root, 'DEBIAN');
  const fields = {
    Package: 'aftertrace',
    Version: version,
    Architecture: architecture,
    Maintainer: 'aftertrace <aftertrace@localhost>',
    Section: 'admin',
    Priority: 'optional',
    'Installed-Size': installedSize(root),
    // Recording needs libbpf; reconstruct and report do not, but a host with the package records.
    Depends: 'nodejs (>= 20.10), libbpf1, passwd',
    Description: description.replace(/\.$/, ''),
  };
  mkdirSync(directory);
  const text = Object.entries(fields).map(([name, value]) => `${name}: ${value}\n`);
  writeFileSync(join(directory, 'control'), text.join(''));
  writeFileSync(join(directory, 'conffiles'), '/etc/aftertrace/aftertrace.conf\n');
  for (const script of ['postinst', 'prerm', 'postrm']) {
    cpSync(join(PACKAGING, 'debian', script), join(directory, script));
    chmodSync(join(directory, script), 0o755);
  }
}

/** Files of a package belong to root and may be read by all, whoever built it. */
function normalise(directory) {
  for (const entry of readdirSync(directory, { withFileTypes: true })) {
    const path = join(directory, entry.name);
    if (entry.isSymbolicLink()) continue;
    if (entry.isDirectory()) {
      chmodSync(path, 0o755);
      normalise(path);
    } else chmodSync(path, statSync(path).mode & 0o100 ? 0o755 : 0o644);
  }
}

const architecture = ARCHITECTURES[process.arch] ?? fail(`${process.arch} is not packaged.`);
const version = option('--version', OWN_VERSION);
const out = option('--out', join(ROOT, '.aftertrace'));
const root = mkdtempSync(join(tmpdir(), 'aftertrace-deb-'));
try {
  chmodSync(root, 0o755);
  stage(root);
  normalise(root);
  control(root, version, architecture);
  mkdirSync(out, { recursive: true });
  const file = join(out, `aftertrace_${version}_${architecture}.deb`);
  execFileSync('dpkg-deb', ['--root-owner-group', '-Zgzip', '--build', root, file], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  console.log(file);
} catch (error) {
  fail(error.message);
} finally {
  rmSync(root, { recursive: true, force: true });
}
