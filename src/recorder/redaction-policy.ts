/** What counts as a secret. Names are lower case. */
export interface RedactionPolicy {
  /** Headers whose values are masked. */
  readonly headers: ReadonlySet<string>;
  /** Query keys whose values are masked, in request targets and in headers that hold URLs. */
  readonly queryKeys: ReadonlySet<string>;
  /** Key of the hashes that mark secrets (src/model/secret-mark.ts), 16 bytes; undefined: no marks. */
  readonly markKey?: Uint8Array;
}

const HEADERS = [
  'authorization',
  'proxy-authorization',
  'cookie',
  'set-cookie',
  'cookie2',
  'set-cookie2',
  'x-api-key',
  'api-key',
  'apikey',
  'x-auth',
  'x-auth-token',
  'x-access-token',
  'x-csrf-token',
  'x-xsrf-token',
  'x-amz-security-token',
  'x-goog-iap-jwt-assertion',
  'x-forwarded-access-token',
  'x-vault-token',
  'x-gitlab-token',
  'private-token',
  'x-functions-key',
  'x-session-id',
  'x-session',
];

const QUERY_KEYS = [
  'access_token',
  'refresh_token',
  'id_token',
  'token',
  'auth',
  'auth_token',
  'authorization',
  'api_key',
  'api-key',
  'apikey',
  'key',
  'password',
  'passwd',
  'passphrase',
  'pass',
  'pwd',
  'secret',
  'client_secret',
  'code',
  'sig',
  'signature',
  'hmac',
  'session',
  'sessionid',
  'session_id',
  'sid',
  'jwt',
  'otp',
  'credential',
  'credentials',
  'awsaccesskeyid',
  'x-amz-signature',
  'x-amz-credential',
  'x-amz-security-token',
  'x-goog-signature',
  'x-goog-credential',
  'googleaccessid',
  'csrf',
  'state',
];

/** Any name that contains one of these is a secret too, whatever stands around it. */
const TELLTALES = [
  'password',
  'passwd',
  'passphrase',
  'secret',
  'token',
  'apikey',
  'api-key',
  'api_key',
  'credential',
  'privatekey',
  'private-key',
  'private_key',
] as const;
const TELLTALE = new RegExp(TELLTALES.join('|'));

/** Headers that hold URLs, whose queries and credentials are looked at. */
export const URL_HEADERS: ReadonlySet<string> = new Set([
  'referer',
  'referrer',
  'location',
  'content-location',
  'refresh',
  'link',
  'x-original-url',
  'x-rewrite-url',
  'x-forwarded-uri',
  'origin',
  'destination',
]);

/** The default policy, with more header names and query keys on request, and marks where there is a key. */
export function redactionPolicy(
  headers: readonly string[] = [],
  queryKeys: readonly string[] = [],
  markKey?: Uint8Array,
): RedactionPolicy {
  const lower = (names: readonly string[]) => names.map((name) => name.toLowerCase());
  return {
    headers: new Set([...HEADERS, ...lower(headers)]),
    queryKeys: new Set([...QUERY_KEYS, ...lower(queryKeys)]),
    ...(markKey && { markKey }),
  };
}

/** True where the value under this header or query key must not be stored. */
export function isSecretName(names: ReadonlySet<string>, name: string): boolean {
  const lower = name.toLowerCase();
  return names.has(lower) || TELLTALE.test(lower);
}

/** A policy as lists, with the names that hold for every policy: what the addon is told. */
export interface PolicyLists {
  readonly headers: readonly string[];
  readonly queryKeys: readonly string[];
  readonly telltales: readonly string[];
  readonly urlHeaders: readonly string[];
  readonly markKey?: Uint8Array;
}

export function policyLists({ headers, queryKeys, markKey }: RedactionPolicy): PolicyLists {
  return {
    headers: [...headers],
    queryKeys: [...queryKeys],
    telltales: TELLTALES,
    urlHeaders: [...URL_HEADERS],
    ...(markKey && { markKey }),
  };
}

/** The policy in words, for the segment header. */
export function describePolicy(policy: RedactionPolicy | undefined): string {
  if (policy === undefined) return 'none';
  const marks = policy.markKey === undefined ? '' : '; equal ones have equal marks';
  return `bodies; values of ${policy.headers.size} headers and ${policy.queryKeys.size} query keys, and of names like password, secret, token${marks}`;
}

const SECRET_OPTION = /^(--?[\w.-]*|[\w.-]*)=(.*)$/s;
const URL_USERINFO = /([a-z][a-z0-9+.-]*:\/\/)[^/@\s]*@/gi;
const BEARER = /\b(bearer|basic)\s+\S+/gi;

function isSecretOption(name: string): boolean {
  return TELLTALE.test(name.toLowerCase()) || /(^|[-_])(pwd|auth|key)$/i.test(name);
}

/**
 * Masks secrets in the arguments of a process: `--password x`, `--token=x`, `KEY_SECRET=x`,
 * credentials in URLs, bearer tokens.
 */
export function maskCommandLine(args: readonly string[]): string[] {
  let maskNext = false;
  return args.map((arg, position) => {
    if (maskNext && !arg.startsWith('-')) {
      maskNext = false;
      return '***';
    }
    maskNext = position > 0 && /^--?[\w-]+$/.test(arg) && isSecretOption(arg);
    const option = SECRET_OPTION.exec(arg);
    if (option !== null && isSecretOption(option[1]!)) return `${option[1]}=***`;
    return arg.replace(URL_USERINFO, '$1***@').replace(BEARER, '$1 ***');
  });
}
