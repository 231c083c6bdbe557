import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { importSpans } from '../../src/import/import.js';
import { reconstruct } from '../../src/reconstruct/reconstruct.js';
import { useTemporaryDirectories } from '../store/temporary.js';
import { foundLinks } from './spans.js';
import { statedLinks } from './stated-links.js';

/** Data of others that lie beside this repository on some machines, never in it. */
const DATA = fileURLToPath(new URL('../../../shared/data/traceweaver/', import.meta.url));
const FILES = [
  { name: 'hotel_load25', spans: 11_000, made: 0, calls: 5000 },
  { name: 'media_load25', spans: 27_000, made: 13_000, calls: 13_000 },
  { name: 'node_load100', spans: 6000, made: 5000, calls: 5000 },
];

const isThere = existsSync(DATA);
if (!isThere) console.warn(`SKIPPED: ${DATA} is absent: no real traces were imported.`);

const temporaryDirectory = useTemporaryDirectories();

describe.skipIf(!isThere)('real traces of TraceWeaver', () => {
  test.each(FILES)('$name: every link that the file states is found, as certain', async (facts) => {
    const directory = temporaryDirectory();
    const file = join(DATA, `${facts.name}.jsonl.gz`);
    const [imported, output] = ['imported', 'out'].map((name) => join(directory, name));
    const result = await importSpans({
      format: 'jaeger',
      files: [file],
      output: imported!,
      forgetParents: false,
    });
    expect(result).toMatchObject({
      traces: 1000,
      spans: facts.spans,
      madeExchanges: facts.made,
      hops: facts.calls,
      badCount: 0,
    });
    await reconstruct({ inputs: [imported!], output: output!, minConfidence: 0.9 });
    const { links, reconstruction } = await foundLinks(output!);
    const stated = statedLinks(file);
    expect(stated).toHaveLength(facts.calls);
    expect(links.sort()).toEqual(stated.sort());
    expect(reconstruction.counts.traces).toBe(1000);
    expect(reconstruction.links).toEqual({
      certain: facts.calls,
      probable: 0,
      unknown: 0,
      root: 0,
    });
  });
});
