import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { CodedError } from '../model/errors.js';
import type { Reconstruction } from '../model/reconstruction.js';
import { writeFileDurably } from '../store/durable-file.js';
import { readReconstruction } from '../store/span-store.js';
import { type AnalyzeOptions, analyze } from './analyze/analyze.js';
import { formatRange } from './format.js';
import { renderHtml, type ViewerAssets } from './render/html.js';
import { renderMarkdown } from './render/markdown.js';

export interface ReportOptions extends AnalyzeOptions {
  /** Where the HTML goes. */
  readonly html?: string;
  /** Where the Markdown goes; `-` is stdout. */
  readonly markdown?: string;
  /** Replace existing files. */
  readonly force: boolean;
}

export interface ReportResult {
  /** The headline. */
  readonly verdict: string;
  /** The service the report names. */
  readonly culprit?: string;
  readonly files: readonly string[];
  /** What a reader should know before trusting it. */
  readonly notes: readonly string[];
}

/** The viewer as scripts/build-viewer.mjs left it; the same place seen from src and from dist. */
function loadViewer(): ViewerAssets {
  const read = (name: string) => {
    const path = fileURLToPath(new URL(`../../dist/report/${name}`, import.meta.url));
    try {
      return readFileSync(path, 'utf8');
    } catch (cause) {
      const remedy = 'Run `npm run build`, or install aftertrace again.';
      throw new CodedError('INPUT', 'is missing: the page cannot be made.', path, remedy, cause);
    }
  };
  return { script: read('viewer.js'), style: read('viewer.css') };
}

function checkFree(path: string | undefined, force: boolean): void {
  if (path === undefined || path === '-' || force || !existsSync(path)) return;
  throw new CodedError(
    'OUTPUT',
    'exists already.',
    path,
    'Choose another name, or replace it with --force.',
  );
}

/** A window beside the recording would make an empty report that looks like good news. */
function checkWindow(flag: string, window: AnalyzeOptions['incident'], recorded: Reconstruction) {
  const { fromNs, toNs } = recorded;
  if (window === undefined) return;
  if (window.fromNs < BigInt(toNs) && window.toNs > BigInt(fromNs)) return;
  const lengthMs = Number(BigInt(toNs) - BigInt(fromNs)) / 1e6;
  throw new CodedError(
    'USAGE',
    `lies outside the recording, ${formatRange(fromNs, 0, lengthMs)} UTC.`,
    flag,
    'A time without a date means today: give the date too.',
  );
}

/**
 * Writes an incident report from a reconstruction.
 *
 * @throws CodedError INPUT, UNSUPPORTED, OUTPUT, or USAGE for a window beside the recording
 */
export async function report(options: ReportOptions): Promise<ReportResult> {
  checkFree(options.html, options.force);
  checkFree(options.markdown, options.force);
  const stored = await readReconstruction(options.input);
  checkWindow('--incident', options.incident, stored.reconstruction);
  checkWindow('--baseline', options.baseline, stored.reconstruction);
  const { report: found, chunks } = analyze(stored, options);
  const files: string[] = [];
  const write = (path: string, text: string) => {
    writeFileDurably(path, new TextEncoder().encode(text));
    files.push(path);
  };
  if (options.html !== undefined) {
    write(options.html, renderHtml(found, chunks, loadViewer()));
  }
  if (options.markdown === '-') process.stdout.write(renderMarkdown(found));
  else if (options.markdown !== undefined) write(options.markdown, renderMarkdown(found));
  const { headline, culprit, caveats } = found.conclusion;
  return {
    verdict: headline,
    ...(culprit !== null && { culprit }),
    files,
    notes: caveats,
  };
}
