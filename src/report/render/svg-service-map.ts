import { Graph, layout } from '@dagrejs/dagre';
import type { MapEdge, MapNode, ServiceMap } from '../contract.js';
import { shorten } from '../text.js';
import { changeOf, describeStats } from './change.js';
import { html, type Markup } from './markup.js';

const NODE_HEIGHT = 46;
const CHARACTER = 6.7;
const MARGIN = 12;
const MAX_LABEL = 36;

interface Point {
  readonly x: number;
  readonly y: number;
}

function captionOf(node: MapNode): string {
  if (!node.recorded) return `not recorded · ${describeStats(node.during)}`;
  if (node.during.requests === 0) return 'calls only';
  return `${describeStats(node.during)}${changeOf(node) === 'worse' ? ' ▲' : ''}`;
}

function widthOf(node: MapNode): number {
  const longest = Math.max(shorten(node.service, MAX_LABEL).length * 1.15, captionOf(node).length);
  return Math.max(90, longest * CHARACTER + 24);
}

function buildGraph({ nodes, edges }: ServiceMap): Graph {
  const graph = new Graph();
  graph.setGraph({ rankdir: 'LR', nodesep: 22, ranksep: 80, marginx: MARGIN, marginy: MARGIN });
  graph.setDefaultEdgeLabel(() => ({}));
  for (const node of nodes) {
    graph.setNode(node.service, { width: widthOf(node), height: NODE_HEIGHT });
  }
  for (const { from, to } of edges) graph.setEdge(from, to);
  layout(graph);
  return graph;
}

/** A smooth line through the points that the layout gives. */
function pathOf(points: readonly Point[]): string {
  const at = ({ x, y }: Point) => `${x.toFixed(1)} ${y.toFixed(1)}`;
  const [first, ...rest] = points;
  const last = rest.pop();
  if (first === undefined || last === undefined) return '';
  let path = `M ${at(first)}`;
  for (const [i, point] of rest.entries()) {
    const next = rest[i + 1];
    const end =
      next === undefined ? last : { x: (point.x + next.x) / 2, y: (point.y + next.y) / 2 };
    path += ` Q ${at(point)} ${at(end)}`;
  }
  return rest.length === 0 ? `${path} L ${at(last)}` : path;
}

function edgeMark(edge: MapEdge, points: readonly Point[]): Markup {
  const change = changeOf(edge);
  const width = Math.min(6, 1.2 + Math.log10(1 + edge.during.perSecond)).toFixed(1);
  const middle = points[points.length >> 1]!;
  const label = edge.during.requests === 0 ? 'gone' : `${edge.during.perSecond.toPrecision(3)}/s`;
  return html`<g class="edge ${change}"><path d="${pathOf(points)}" stroke-width="${width}" marker-end="url(#arrow-${change})"/>
<text x="${middle.x.toFixed(1)}" y="${(middle.y - 5).toFixed(1)}">${label}</text><title>${edge.from} calls ${edge.to}: ${describeStats(edge.during)}${edge.before === null ? '' : `; baseline: ${describeStats(edge.before)}`}</title></g>`;
}

function nodeMark(node: MapNode, at: Point, culprit: string | null): Markup {
  const change = changeOf(node);
  const isCulprit = node.service === culprit;
  const width = widthOf(node);
  const left = (at.x - width / 2).toFixed(1);
  const top = (at.y - NODE_HEIGHT / 2).toFixed(1);
  const before = node.before === null ? '' : `; baseline: ${describeStats(node.before)}`;
  return html`<g class="node ${change}${isCulprit ? ' culprit' : ''}${node.recorded ? '' : ' unrecorded'}"><rect x="${left}" y="${top}" width="${width.toFixed(1)}" height="${NODE_HEIGHT}" rx="7"/>
<text class="name" x="${at.x.toFixed(1)}" y="${(at.y - 4).toFixed(1)}">${shorten(node.service, MAX_LABEL)}${isCulprit ? ' · candidate' : ''}</text>
<text class="caption" x="${at.x.toFixed(1)}" y="${(at.y + 13).toFixed(1)}">${captionOf(node)}</text><title>${node.service}: ${describeStats(node.during)}${before}</title></g>`;
}

const ARROWS = ['same', 'worse', 'new', 'gone', 'none'].map(
  (change) =>
    html`<marker id="arrow-${change}" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" markerUnits="userSpaceOnUse" orient="auto" class="arrow ${change}"><path d="M 0 0.5 L 8 4 L 0 7.5 z"/></marker>`,
);

/** Services and their calls as a layered graph, laid out by dagre; `culprit` stands out. */
export function serviceMapSvg(map: ServiceMap, culprit: string | null): Markup {
  const graph = buildGraph(map);
  const { width = 0, height = 0 } = graph.graph();
  const edges = map.edges
    .filter(({ from, to }) => graph.hasNode(from) && graph.hasNode(to))
    .map((edge) => edgeMark(edge, graph.edge(edge.from, edge.to).points));
  const nodes = map.nodes.map((node) => nodeMark(node, graph.node(node.service), culprit));
  const label = `Service map: ${map.nodes.length} services, ${map.edges.length} kinds of calls`;
  return html`<svg class="service-map" viewBox="0 0 ${Math.ceil(width)} ${Math.ceil(height)}" width="${Math.ceil(width)}" role="img" aria-label="${label}"><defs>${ARROWS}</defs>
${edges}
${nodes}
</svg>`;
}
