import type { TraceChunk, ViewerIndex } from '../contract.js';

/** Reads the index that the renderer left in the page. */
export function readIndex(): ViewerIndex {
  return JSON.parse(document.getElementById('viewer-index')!.textContent!) as ViewerIndex;
}

const opened = new Map<number, Promise<TraceChunk>>();

async function inflate(id: string): Promise<TraceChunk> {
  const text = document.getElementById(id)!.textContent!;
  const bytes = Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream('gzip'));
  return (await new Response(stream).json()) as TraceChunk;
}

/** The spans of a chunk, inflated when they are first asked for. */
export function openChunk(chunk: number): Promise<TraceChunk> {
  let known = opened.get(chunk);
  if (known === undefined) {
    known = inflate(`chunk-${chunk}`);
    opened.set(chunk, known);
  }
  return known;
}
