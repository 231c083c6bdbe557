/** Path segments that name a thing rather than a kind of thing; the version of an API is none. */
const IDENTIFIER =
  /^(?![vV]\d{1,3}$)(\d+|[0-9a-f]{8,}|[0-9a-f]{8}-[0-9a-f-]{27,}|[A-Za-z_-]*\d[A-Za-z0-9_-]{7,}|[A-Za-z]+-?\d+)$/;

/** True for a path segment that names a thing. */
export function isIdentifier(segment: string): boolean {
  return IDENTIFIER.test(segment);
}

/**
 * The kind of request a target stands for: its path without query, with segments that
 * look like identifiers replaced, so that `/cart/4711/items?x=1` becomes `/cart/{id}/items`.
 */
export function routeTemplate(target: string): string {
  const path = target.replace(/^[a-z]+:\/\/[^/]*/i, '').split(/[?#]/, 1)[0] ?? '';
  return path
    .split('/')
    .map((segment) => (isIdentifier(segment) ? '{id}' : segment))
    .join('/');
}
