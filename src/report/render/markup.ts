import { showControls } from '../text.js';

/** HTML that is safe to put into a page as it is. */
export class Markup {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** Text as HTML, for element content and quoted attributes. */
function escapeHtml(text: string): string {
  return showControls(text).replace(/[&<>"']/g, (character) => ENTITIES[character]!);
}

type Part = string | number | Markup | null | false | readonly (Markup | string)[];

function render(part: Part): string {
  if (part === null || part === false) return '';
  if (part instanceof Markup) return part.text;
  if (typeof part === 'object') return part.map(render).join('');
  return escapeHtml(String(part));
}

/** Template for HTML: every value is escaped unless it is Markup already. */
export function html(strings: TemplateStringsArray, ...values: Part[]): Markup {
  let text = strings[0]!;
  for (const [i, value] of values.entries()) text += render(value) + strings[i + 1]!;
  return new Markup(text);
}
