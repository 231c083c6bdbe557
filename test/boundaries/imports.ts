/** One import of a source file, type-only and dynamic ones included. */
export interface Import {
  /** As written; of a computed one the part before the first placeholder, '' if there is none. */
  readonly specifier: string;
  /** What follows the placeholder of a computed specifier; undefined where none is computed. */
  readonly suffix?: string;
  /** Line on which the statement begins, from 1. */
  readonly line: number;
}

const STRING_OR_COMMENT =
  /'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"|`(?:\\.|[^`\\])*`|\/\*[\s\S]*?\*\/|\/\/[^\n]*/g;

const STATEMENTS = [
  // import x, { y } from 'z'; import type { y } from 'z'; export { y } from 'z'; export * from 'z';
  /(?:^|;)[ \t]*((?:import|export)\b[^'"`;=()]*?\bfrom\s*(['"])([^'"\n]+)\2)/gm,
  // import 'z';
  /(?:^|;)[ \t]*(import\s*(['"])([^'"\n]+)\2)/gm,
  // import('z'), typeof import('z'), require('z')
  /(?<![\w$.])((?:import|require)\s*\(\s*(['"`])([^'"`\n]*)\2)/g,
  // import(z): not a literal, so that nothing can be said about it.
  /(?<![\w$.])((?:import|require)\s*\(\s*()()(?=[\w$([]))/g,
];

/** Comments replaced by spaces, so that nothing in them is read and lines stay where they are. */
function blankComments(source: string): string {
  return source.replace(STRING_OR_COMMENT, (match) =>
    /^\/[*/]/.test(match) ? match.replace(/[^\n]/g, ' ') : match,
  );
}

function lineAt(source: string, offset: number): number {
  return source.slice(0, offset).split('\n').length;
}

/**
 * The imports of TypeScript source text, in order. Regular expressions suffice because the
 * formatter fixes how statements look; a test compares the result with esbuild's parser.
 */
export function importsOf(source: string): Import[] {
  const code = blankComments(source);
  const found = STATEMENTS.flatMap((pattern) =>
    [...code.matchAll(pattern)].map((match) => {
      const at = match.index + match[0].indexOf(match[1]!);
      return { at, quote: match[2]!, text: match[3]! };
    }),
  );
  return found
    .sort((a, b) => a.at - b.at)
    .map(({ at, quote, text }) => {
      const line = lineAt(code, at);
      if (quote === '') return { specifier: '', suffix: '', line };
      const hole = quote === '`' ? /\$\{.*\}/.exec(text) : null;
      if (hole === null) return { specifier: text, line };
      const suffix = text.slice(hole.index + hole[0].length);
      return { specifier: text.slice(0, hole.index), suffix, line };
    });
}
