import { shorten, showControls } from '../text.js';

/** Sentences of the report are shorter; captured names need not be. */
const MAX_PLAIN = 1000;

/** Text that Markdown shows as it is: nothing in it becomes a link, a mention, markup or HTML. */
export function plain(text: string): string {
  return shorten(showControls(text), MAX_PLAIN)
    .replace(/[\\`*_{}[\]<>#|~&]/g, '\\$&')
    .replaceAll('://', '&#58;//')
    .replaceAll(/www\./gi, 'www&#46;')
    .replaceAll('@', '&#64;');
}

/** A table; the cells are Markdown already. */
export function markdownTable(
  head: readonly string[],
  rows: readonly (readonly string[])[],
): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

/** Longer labels make a graph unreadable. */
const MAX_LABEL = 60;

/** A label inside a Mermaid graph: quotes and markup become entities of its own. */
export function mermaidLabel(text: string): string {
  return shorten(showControls(text), MAX_LABEL).replace(
    /[^\p{L}\p{N} ./_,·%-]/gu,
    (character) => `#${character.codePointAt(0)};`,
  );
}
