/** Captured text, made safe to show; shared by the renderers and the viewer. */

/** Control and direction-changing characters can make text look like other text: they are shown. */
export function showControls(text: string): string {
  return text.replace(
    /[\p{Cc}\p{Bidi_Control}\u2028\u2029]/gu,
    (character) => `\\u{${character.codePointAt(0)!.toString(16)}}`,
  );
}

/** Shown at most: captured text may be thousands of characters. */
const MAX_SHOWN = 300;

export function shorten(text: string, most: number): string {
  return text.length > most ? `${text.slice(0, most - 1)}…` : text;
}

/**
 * Text as a Markdown code span, fenced by more backticks than it holds. A bar would end a
 * table's cell, whatever precedes it: it is shown like a control character.
 */
export function codeSpan(text: string): string {
  const shown = shorten(showControls(text).replaceAll('|', '\\u{7c}'), MAX_SHOWN);
  const longest = Math.max(0, ...[...shown.matchAll(/`+/g)].map(([run]) => run.length));
  const fence = '`'.repeat(longest + 1);
  const pad = shown.startsWith('`') || shown.endsWith('`') || shown === '' ? ' ' : '';
  return `${fence}${pad}${shown}${pad}${fence}`;
}
