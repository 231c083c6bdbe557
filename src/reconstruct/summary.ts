import type { ProcessRecord } from '../model/process.js';
import type {
  AuditCounts,
  AuditSummary,
  EncryptedService,
  Reconstruction,
  ServiceSummary,
} from '../model/reconstruction.js';
import { type SpanTable, Verdict } from '../model/span.js';

type LinkCounts = { certain: number; probable: number; unknown: number; root: number };

function noLinks(): LinkCounts {
  return { certain: 0, probable: 0, unknown: 0, root: 0 };
}

function isVerdict(text: string): text is Verdict {
  return Object.hasOwn(Verdict, text);
}

interface ServiceFacts {
  readonly service: string;
  readonly host: string;
  readonly pids: Set<number>;
  readonly models: Set<string>;
  readonly links: LinkCounts;
}

/** Services whose TLS stays encrypted, each once per host and reason, by name, then host. */
export function listEncrypted(
  processes: readonly ProcessRecord[],
  hostNames: readonly string[],
): EncryptedService[] {
  const found = new Map<string, EncryptedService>();
  for (const { service, host, encrypted: reason } of processes) {
    if (reason === undefined) continue;
    const entry = { service, host: hostNames[host]!, reason };
    found.set(`${service}\n${entry.host}\n${reason}`, entry);
  }
  return [...found].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, entry]) => entry);
}

/** Audits of processes by service and host, by name, then host. */
export function sumAudits(
  audits: readonly ({ readonly process: number } & AuditCounts)[],
  processes: readonly ProcessRecord[],
  hostNames: readonly string[],
): AuditSummary[] {
  const sums = new Map<string, AuditSummary>();
  for (const { process, ...own } of audits) {
    const { service, host } = processes[process]!;
    const key = `${service}\n${hostNames[host]}`;
    const known = sums.get(key);
    sums.set(key, {
      service,
      host: hostNames[host]!,
      calls: own.calls + (known?.calls ?? 0),
      right: own.right + (known?.right ?? 0),
      wrong: own.wrong + (known?.wrong ?? 0),
      unknown: own.unknown + (known?.unknown ?? 0),
      claimed: own.claimed + (known?.claimed ?? 0),
    });
  }
  return [...sums].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, entry]) => entry);
}

/** Counts the verdicts on client spans: these are the links that had to be inferred. */
export function countLinks(spans: SpanTable): Reconstruction['links'] {
  const links = noLinks();
  for (let row = 0; row < spans.rows; row++) {
    const verdict = spans.parent_verdict[row]!;
    if (spans.role[row] === 'client' && isVerdict(verdict)) links[verdict]++;
  }
  return links;
}

/**
 * What each service is and how well its calls could be linked, by name, then host.
 *
 * @param models how the calls of a process find their parents
 */
export function summarizeServices(
  spans: SpanTable,
  processes: readonly ProcessRecord[],
  hostNames: readonly string[],
  models: readonly { readonly process: number; readonly model: string }[],
): ServiceSummary[] {
  const facts = new Map<string, ServiceFacts>();
  const at = (service: string, host: string): ServiceFacts => {
    const key = `${service}\n${host}`;
    const known = facts.get(key);
    if (known !== undefined) return known;
    const fresh = {
      service,
      host,
      pids: new Set<number>(),
      models: new Set<string>(),
      links: noLinks(),
    };
    facts.set(key, fresh);
    return fresh;
  };
  for (let row = 0; row < spans.rows; row++) {
    const service = at(spans.service[row]!, spans.host[row]!);
    service.pids.add(spans.pid[row]!);
    const verdict = spans.parent_verdict[row]!;
    if (spans.role[row] === 'client' && isVerdict(verdict)) service.links[verdict]++;
  }
  for (const { process, model } of models) {
    const record = processes[process]!;
    at(record.service, hostNames[record.host]!).models.add(model);
  }
  return [...facts]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([, { service, host, pids, models: found, links }]) => ({
      service,
      host,
      pids: [...pids].sort((a, b) => a - b),
      model: [...found].sort().join('; '),
      links,
    }));
}
