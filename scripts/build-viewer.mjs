/** Bundles the report's viewer into dist/report/viewer.js and viewer.css, to be put inside each report. */
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));

await build({
  entryPoints: [
    { in: join(ROOT, 'src/report/viewer/main.tsx'), out: 'viewer' },
    { in: join(ROOT, 'src/report/viewer/style/index.css'), out: 'viewer' },
  ],
  outdir: join(ROOT, 'dist/report'),
  bundle: true,
  minify: true,
  format: 'iife',
  target: ['chrome110', 'firefox113', 'safari16.4'],
  jsx: 'automatic',
  jsxImportSource: 'preact',
  charset: 'ascii',
  legalComments: 'none',
  logLevel: 'warning',
});
