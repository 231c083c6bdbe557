import type { ImportedSpan } from './span.js';

/** One end of a call, on the way to a row of the exchange table. */
export interface DraftExchange {
  readonly role: 'server' | 'client';
  readonly service: string;
  /** The span it is made from; of a made client exchange, the callee's. */
  readonly span: ImportedSpan;
  /** The other end, where the file has it. */
  peer: DraftExchange | undefined;
  /** Client: the request of its service that caused it, as the file states. */
  readonly cause: DraftExchange | undefined;
}

/** What became of the spans of a trace. */
interface TraceDrafts {
  readonly exchanges: DraftExchange[];
  /** Spans that are work inside a service. */
  internal: number;
  /** Copies of spans that were there already. */
  duplicates: number;
  /** Spans whose parent the file names but does not hold. */
  missingParents: number;
}

/** A span in its trace. */
interface Node {
  readonly span: ImportedSpan;
  parent: Node | undefined;
  exchange: DraftExchange | undefined;
  /** The exchange of the nearest ancestor that has one. */
  above: DraftExchange | undefined;
}

type Sameness = (a: Node) => boolean;

/** What can be seen of a span from outside, ids aside: no order of a file can matter. */
function visible({ service, kind, endNs, request }: ImportedSpan): string {
  return JSON.stringify([endNs?.toString(), service, kind, request]);
}

function inTimeOrder(spans: readonly ImportedSpan[]): ImportedSpan[] {
  return [...spans].sort((a, b) => {
    if (a.startNs !== b.startNs) return a.startNs < b.startNs ? -1 : 1;
    const [one, other] = [visible(a), visible(b)];
    return one < other ? -1 : one > other ? 1 : 0;
  });
}

/** Hexadecimal ids may be written in either case. */
export function idKey(id: string): string {
  return /^[0-9A-Fa-f]+$/.test(id) ? id.toLowerCase() : id;
}

function isCopy(a: ImportedSpan, b: ImportedSpan): boolean {
  return a.kind === b.kind && a.service === b.service && a.startNs === b.startNs;
}

function collectNodes(spans: readonly ImportedSpan[], out: TraceDrafts): Map<string, Node[]> {
  const nodes = new Map<string, Node[]>();
  // The earliest server below a client is its other end.
  for (const span of inTimeOrder(spans)) {
    const id = idKey(span.spanId);
    const same = nodes.get(id);
    const node = { span, parent: undefined, exchange: undefined, above: undefined };
    if (same?.some((other) => isCopy(other.span, span))) out.duplicates++;
    else if (same === undefined) nodes.set(id, [node]);
    else same.push(node);
  }
  return nodes;
}

/**
 * The parent of a span. Both ends of a call may share one id (Zipkin): then the server's
 * parent is the client, and what names that id as its parent hangs below the server,
 * unless only the client is of its service.
 */
function findParent({ span }: Node, nodes: ReadonlyMap<string, readonly Node[]>): Node | undefined {
  const pick = (list: readonly Node[], ...wanted: Sameness[]) => {
    for (const isWanted of wanted) {
      const found = list.find(isWanted);
      if (found !== undefined) return found;
    }
    return list[0];
  };
  const twins = nodes.get(idKey(span.spanId))!.filter((node) => node.span.kind === 'client');
  if (span.kind === 'server' && twins.length > 0) return twins[0];
  const list = (nodes.get(idKey(span.parentId)) ?? []).filter(
    (node) => idKey(node.span.spanId) !== idKey(span.spanId),
  );
  const isServer: Sameness = (node) => node.span.kind === 'server';
  const isHere: Sameness = (node) => node.span.service === span.service;
  if (span.kind === 'server') return pick(list, isServer);
  return pick(list, (node) => isServer(node) && isHere(node), isHere, isServer);
}

/** The spans, parents before children; parents that lead back to the span itself are cut. */
function parentsFirst(nodes: readonly Node[]): Node[] {
  const ordered = new Set<Node>();
  for (const start of nodes) {
    const path = new Set<Node>();
    let node: Node | undefined = start;
    while (node !== undefined && !ordered.has(node)) {
      path.add(node);
      if (node.parent !== undefined && path.has(node.parent)) node.parent = undefined;
      node = node.parent;
    }
    for (const visited of [...path].reverse()) ordered.add(visited);
  }
  return [...ordered];
}

/** True for a client span below another span: proof that its program tells clients apart. */
function isNestedCall({ span, parent }: Node): boolean {
  return span.kind === 'client' && parent !== undefined;
}

function roleOf({ span, parent }: Node, entryIsServer: boolean): DraftExchange['role'] | undefined {
  switch (span.kind) {
    case 'server':
      return 'server';
    case 'client':
      return parent === undefined && entryIsServer ? 'server' : 'client';
    default:
      if (parent !== undefined) return parent.span.service === span.service ? undefined : 'server';
      // Without its parent nobody knows whether internal work came from outside.
      return span.kind === 'internal' && span.parentId !== '' ? undefined : 'server';
  }
}

/** The request of the same service that a call hangs below, through other calls of that service. */
function causeOf({ above, span }: Node): DraftExchange | undefined {
  if (above === undefined || above.service !== span.service) return undefined;
  return above.role === 'server' ? above : above.cause;
}

/** Gives a server exchange its other end: the client span above it, or one made for it. */
function connect({ above: caller, span }: Node, exchange: DraftExchange, out: TraceDrafts): void {
  if (caller === undefined) return;
  if (caller.role === 'client' && caller.peer === undefined) {
    caller.peer = exchange;
    exchange.peer = caller;
    return;
  }
  const cause = caller.role === 'server' ? caller : caller.cause;
  const made: DraftExchange = {
    role: 'client',
    service: caller.service,
    span,
    peer: exchange,
    cause,
  };
  exchange.peer = made;
  out.exchanges.push(made);
}

/** A trace whose spans know their parents. */
export interface TraceTree {
  /** True if a client span hangs below another span. */
  readonly hasNestedCalls: boolean;
  /** True if the trace begins with a client span that others hang below. */
  readonly beginsWithClient: boolean;
  /**
   * Turns the spans into exchanges and joins those that are two ends of one call.
   *
   * @param entryIsServer take a client span without parent for the request that it stands for:
   *   in files that know no other client spans
   */
  draft(entryIsServer: boolean): TraceDrafts;
}

function draft(nodes: readonly Node[], entryIsServer: boolean, out: TraceDrafts): TraceDrafts {
  for (const node of parentsFirst(nodes)) {
    const { span, parent } = node;
    node.above = parent?.exchange ?? parent?.above;
    const role = roleOf(node, entryIsServer);
    if (role === undefined) {
      out.internal++;
      continue;
    }
    const cause = role === 'client' ? causeOf(node) : undefined;
    node.exchange = { role, service: span.service, span, peer: undefined, cause };
    out.exchanges.push(node.exchange);
  }
  for (const node of nodes) {
    if (node.exchange?.role === 'server') connect(node, node.exchange, out);
  }
  return out;
}

/** Finds every span's parent. @param spans one trace's, in any order */
export function buildTree(spans: readonly ImportedSpan[]): TraceTree {
  const counts: TraceDrafts = { exchanges: [], internal: 0, duplicates: 0, missingParents: 0 };
  const byId = collectNodes(spans, counts);
  const nodes = [...byId.values()].flat();
  for (const node of nodes) {
    node.parent = findParent(node, byId);
    if (node.parent === undefined && node.span.parentId !== '') counts.missingParents++;
  }
  const parents = new Set(nodes.map(({ parent }) => parent));
  return {
    hasNestedCalls: nodes.some(isNestedCall),
    beginsWithClient: nodes.some(
      (node) => node.span.kind === 'client' && node.parent === undefined && parents.has(node),
    ),
    draft: (entryIsServer) => draft(nodes, entryIsServer, counts),
  };
}
