/**
 * Metadata of a Parquet or segment file: one key `aftertrace` that holds a JSON object
 * of strings. One key, because the Parquet engine keeps keys in a hash map, and the same
 * input must give the same bytes.
 */
const KEY = 'aftertrace';

export function packMetadata(values: Readonly<Record<string, string>>): Record<string, string> {
  return { [KEY]: JSON.stringify(values) };
}

/** The values packed in a file's metadata; none if it is not a file of aftertrace. */
export function unpackMetadata(metadata: ReadonlyMap<string, string>): ReadonlyMap<string, string> {
  const text = metadata.get(KEY);
  if (text === undefined) return new Map();
  try {
    const values: unknown = JSON.parse(text);
    if (typeof values !== 'object' || values === null) return new Map();
    return new Map(
      Object.entries(values).filter(
        (entry): entry is [string, string] => typeof entry[1] === 'string',
      ),
    );
  } catch {
    return new Map();
  }
}
