import { useState } from 'preact/hooks';

async function copy(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return false;
  }
}

/** Copies a text; says so, also to screen readers. */
export function CopyButton({ text, label }: { readonly text: string; readonly label: string }) {
  const [said, say] = useState('');
  const onClick = async () => {
    say((await copy(text)) ? 'copied' : 'not permitted here: select the text');
    setTimeout(() => say(''), 2000);
  };
  return (
    <button type="button" class="copy" onClick={onClick}>
      {label} <span aria-live="polite">{said}</span>
    </button>
  );
}
