/** Captured text, made safe to show; shared by the renderers and the viewer. */

/** Control and direction-changing characters can make text look like other text: they are shown. */
export function showControls(text: string): string {
  return text.replace(
    /[\p{Cc}\p{Bidi_Control}\u2028\u2029]/gu,
    (character) => `\\u{${character.codePointAt(0)!.toString(16)}}`,
  );
}

/** Text as a Markdown code span, fenced by more backticks than it holds; safe in a table. */
export function codeSpan(text: string): string {
  const shown = showControls(text).replaceAll('|', '\\|');
  const longest = Math.max(0, ...[...shown.matchAll(/`+/g)].map(([run]) => run.length));
  const fence = '`'.repeat(longest + 1);
  const pad = shown.startsWith('`') || shown.endsWith('`') || shown === '' ? ' ' : '';
  return `${fence}${pad}${shown}${pad}${fence}`;
}
