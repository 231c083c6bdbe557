import { type Bundle, type Example, KEY_MASK, typeKeys } from './bundles.js';
import { GapDensity } from './density.js';
import { GapHistogram } from './histogram.js';
import type { TimingProblem } from './problem.js';
import { learnStructure, type Structure } from './references.js';
import { Template } from './template.js';

/** Spans with a shape from which it gets a template of its own. */
const LEAST_FOR_TEMPLATE = 12;
const LEAST_FOR_DENSITY = 3;
const LEAST_FOR_EMPTY = 5;
/** Log density of a gap of which there is no example. */
const UNSEEN = -14;
/** No log density of a gap is higher: kernels are no narrower than a µs. */
const MOST_PER_GAP = 0.5;
/** Bundles longer than this are scored in one pass. */
const LONG = 32;

export interface Shape {
  readonly key: number;
  readonly logShare: number;
  readonly spans: number;
  readonly types: readonly number[];
  readonly template: Template | undefined;
  /** Of spans without calls: the density of their duration. */
  readonly duration: GapDensity | undefined;
}

interface Route {
  readonly shapes: Map<number, Shape>;
  /** The shape that was asked for last: moves come in runs of one shape. */
  last: Shape | undefined;
  /** Log share of a shape that was never seen, before the price of its calls. */
  readonly unseen: number;
  /** Per type: gap since the latest reply before; undefined without examples. */
  readonly gaps: readonly (GapDensity | undefined)[];
  readonly final: GapDensity | undefined;
}

/** What spans of each route do: how often which calls, and when. */
export class TimingModel {
  readonly #problem: TimingProblem;
  readonly #keys: Int32Array;
  readonly #routes: (Route | undefined)[] = [];
  readonly #earlier: TimingModel | undefined;

  /**
   * @param copies how many states the examples' weights count
   * @param earlier model whose order of events is kept
   */
  constructor(
    problem: TimingProblem,
    examples: readonly Example[],
    types: number,
    copies = 1,
    earlier?: TimingModel,
  ) {
    this.#problem = problem;
    this.#keys = typeKeys(types);
    this.#earlier = earlier;
    const byRoute = new Map<number, Example[]>();
    for (const example of examples) {
      const route = problem.spanRoute[example.span]!;
      const known = byRoute.get(route);
      if (known === undefined) byRoute.set(route, [example]);
      else known.push(example);
    }
    for (const [route, own] of byRoute) {
      this.#routes[route] = this.#learnRoute(route, own, types, copies);
    }
  }

  #keyOf(bundle: Bundle): number {
    const { callType } = this.#problem;
    let key = 0;
    for (let i = 0; i < bundle.length; i++) {
      key = (key + this.#keys[callType[bundle[i]!]!]!) & KEY_MASK;
    }
    return key;
  }

  #learnRoute(route: number, examples: readonly Example[], types: number, copies: number): Route {
    const byShape = new Map<number, Example[]>();
    let total = 0;
    for (const example of examples) {
      total += example.weight;
      const key = this.#keyOf(example.bundle);
      const known = byShape.get(key);
      if (known === undefined) byShape.set(key, [example]);
      else if (known[0]!.bundle.length === example.bundle.length) known.push(example);
    }
    const spans = total / copies;
    const unseen = Math.log(0.5 / (spans + 1 + byShape.size / 2));
    const shapes = new Map<number, Shape>();
    for (const [key, own] of byShape) {
      const before = this.#earlier?.shapeOf(route, key);
      shapes.set(key, this.#learnShape(key, own, { spans, unseen, copies, before }));
    }
    return { shapes, last: undefined, unseen, ...this.#learnGeneric(examples, types, copies) };
  }

  #learnShape(
    key: number,
    examples: readonly Example[],
    of: { spans: number; unseen: number; copies: number; before: Shape | undefined },
  ): Shape {
    const { spanStart, spanEnd, callType } = this.#problem;
    const first = examples[0]!.bundle;
    const observed = examples.reduce((sum, { weight }) => sum + weight, 0) / of.copies;
    const logShare = Math.log(observed / (of.spans + 1));
    const shape = {
      key,
      logShare,
      spans: observed,
      types: first.map((call) => callType[call]!),
      template: undefined,
      duration: undefined,
    };
    if (first.length === 0) {
      const durations = new GapHistogram(this.#problem.tick);
      for (const { span, weight } of examples) {
        durations.add(spanEnd[span]! - spanStart[span]!, weight);
      }
      const enough = observed >= LEAST_FOR_EMPTY && durations.total > 0;
      return { ...shape, duration: enough ? new GapDensity(durations, observed) : undefined };
    }
    if (observed >= LEAST_FOR_TEMPLATE) {
      const known = of.before?.template?.structure;
      const structure = known ?? learnStructure(this.#problem, examples);
      return { ...shape, template: new Template(this.#problem, structure, examples, observed) };
    }
    return { ...shape, logShare: Math.max(of.unseen - 2 * first.length, logShare - 2) };
  }

  /** Densities for spans of rare shapes: each call after the latest reply before it. */
  #learnGeneric(examples: readonly Example[], types: number, copies: number) {
    const { tick } = this.#problem;
    const gaps: GapHistogram[] = Array.from({ length: types }, () => new GapHistogram(tick));
    const final = new GapHistogram(tick);
    for (const { span, bundle, weight } of examples) {
      const end = this.#walk(span, bundle, (call, gap) => {
        const type = this.#problem.callType[call]!;
        gaps[type]!.add(gap, weight);
      });
      if (bundle.length > 0) final.add(this.#problem.spanEnd[span]! - end, weight);
    }
    const densities = (own: GapHistogram) => {
      const observed = own.total / copies;
      return observed < LEAST_FOR_DENSITY ? undefined : new GapDensity(own, observed);
    };
    return { gaps: gaps.map(densities), final: densities(final) };
  }

  /** Visits the calls of a bundle with their gaps since the latest earlier reply; returns the last end. */
  #walk(span: number, bundle: Bundle, visit: (call: number, gap: number) => void): number {
    const { spanStart, callStart, callEnd } = this.#problem;
    const begin = spanStart[span]!;
    let end = begin;
    const isLong = bundle.length > LONG;
    for (const call of bundle) {
      const start = callStart[call]!;
      let from = begin;
      if (isLong) from = Math.max(begin, Math.min(end, start));
      else {
        for (const other of bundle) {
          const reply = callEnd[other]!;
          if (other !== call && reply <= start && reply > from) from = reply;
        }
      }
      visit(call, start - from);
      if (callEnd[call]! > end) end = callEnd[call]!;
    }
    return end;
  }

  #generic(route: Route, span: number, bundle: Bundle): number {
    // A span without calls must pay for its duration too, else dropping calls is free.
    if (bundle.length === 0) return UNSEEN;
    let sum = 0;
    const end = this.#walk(span, bundle, (call, gap) => {
      sum += route.gaps[this.#problem.callType[call]!]?.log(gap) ?? UNSEEN;
    });
    return sum + (route.final?.log(this.#problem.spanEnd[span]! - end) ?? UNSEEN);
  }

  /** The shape of a bundle, in any order; undefined if no example had it. */
  #shapeWith(route: Route, bundle: Bundle): Shape | undefined {
    const key = this.#keyOf(bundle);
    let shape = route.last;
    if (shape?.key !== key) {
      shape = route.shapes.get(key);
      if (shape === undefined) return undefined;
      route.last = shape;
    }
    return shape.types.length === bundle.length ? shape : undefined;
  }

  /** The order and the references of a span's calls; undefined where there is no template. */
  structureOf(span: number, bundle: Bundle): Structure | undefined {
    const route = this.#routes[this.#problem.spanRoute[span]!];
    return route && this.#shapeWith(route, bundle)?.template?.structure;
  }

  /** The most that {@link score} is likely to give for these calls, in any order. */
  most(span: number, bundle: Bundle): number {
    const route = this.#routes[this.#problem.spanRoute[span]!];
    const shape = route && this.#shapeWith(route, bundle);
    if (route === undefined || shape === undefined) return 0;
    return shape.logShare + (shape.template?.most ?? MOST_PER_GAP * (bundle.length + 1));
  }

  /**
   * Log probability of a span having just these calls when it had them.
   *
   * @param least where it is sure to be below this, -Infinity may be returned instead
   */
  score(span: number, bundle: Bundle, least = Number.NEGATIVE_INFINITY): number {
    const { spanStart, spanEnd, spanRoute } = this.#problem;
    const route = this.#routes[spanRoute[span]!];
    if (route === undefined) return -12 * bundle.length - 5;
    const shape = this.#shapeWith(route, bundle);
    if (shape === undefined) {
      return route.unseen - 2 * bundle.length + this.#generic(route, span, bundle);
    }
    const { template, logShare } = shape;
    if (template !== undefined) return logShare + template.log(span, bundle, least - logShare);
    if (bundle.length > 0) return logShare + this.#generic(route, span, bundle);
    const duration = spanEnd[span]! - spanStart[span]!;
    return logShare + (shape.duration?.log(duration) ?? UNSEEN);
  }

  shapeOf(route: number, key: number): Shape | undefined {
    return this.#routes[route]?.shapes.get(key);
  }

  /** The most frequent shape of a route that has a template. */
  usualShape(route: number): { template: Template; types: readonly number[] } | undefined {
    let best: Shape | undefined;
    for (const shape of this.#routes[route]?.shapes.values() ?? []) {
      if (shape.template !== undefined && (best === undefined || shape.spans > best.spans)) {
        best = shape;
      }
    }
    return best?.template && { template: best.template, types: best.types };
  }
}
