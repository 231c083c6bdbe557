import { type Bundle, type Example, typeKeys } from './bundles.js';
import { GapDensity } from './density.js';
import type { TimingProblem } from './problem.js';
import { Template } from './template.js';

/** Spans with a shape from which it gets a template of its own. */
const LEAST_FOR_TEMPLATE = 12;
const LEAST_FOR_DENSITY = 3;
const LEAST_FOR_EMPTY = 5;
/** Log density of a gap of which there is no example. */
const UNSEEN = -14;
/** Bundles longer than this are scored in one pass. */
const LONG = 32;

interface Shape {
  readonly logShare: number;
  readonly spans: number;
  readonly types: readonly number[];
  readonly template: Template | undefined;
  /** Of spans without calls: the density of their duration. */
  readonly duration: GapDensity | undefined;
}

interface Route {
  readonly shapes: Map<number, Shape>;
  /** Log share of a shape that was never seen, before the price of its calls. */
  readonly unseen: number;
  /** Per type: gap since the latest reply before; undefined without examples. */
  readonly gaps: readonly (GapDensity | undefined)[];
  readonly final: GapDensity | undefined;
}

/** What spans of each route do: how often which calls, and when. */
export class TimingModel {
  readonly #problem: TimingProblem;
  readonly #keys: Float64Array;
  readonly #routes = new Map<number, Route>();

  /** @param copies how many examples stand for one observation */
  constructor(problem: TimingProblem, examples: readonly Example[], types: number, copies = 1) {
    this.#problem = problem;
    this.#keys = typeKeys(types);
    const byRoute = new Map<number, Example[]>();
    for (const example of examples) {
      const route = problem.spanRoute[example.span]!;
      const known = byRoute.get(route);
      if (known === undefined) byRoute.set(route, [example]);
      else known.push(example);
    }
    for (const [route, own] of byRoute) {
      this.#routes.set(route, this.#learnRoute(own, types, copies));
    }
  }

  #keyOf(bundle: Bundle): number {
    let key = 0;
    for (const call of bundle) key += this.#keys[this.#problem.callType[call]!]!;
    return key;
  }

  #learnRoute(examples: readonly Example[], types: number, copies: number): Route {
    const byShape = new Map<number, Example[]>();
    for (const example of examples) {
      const key = this.#keyOf(example.bundle);
      const known = byShape.get(key);
      if (known === undefined) byShape.set(key, [example]);
      else known.push(example);
    }
    const spans = examples.length / copies;
    const unseen = Math.log(0.5 / (spans + 1 + byShape.size / 2));
    const shapes = new Map<number, Shape>();
    for (const [key, own] of byShape) {
      shapes.set(key, this.#learnShape(own, spans, unseen, copies));
    }
    return { shapes, unseen, ...this.#learnGeneric(examples, types, copies) };
  }

  #learnShape(examples: readonly Example[], spans: number, unseen: number, copies: number): Shape {
    const { spanStart, spanEnd, callType } = this.#problem;
    const first = examples[0]!.bundle;
    const observed = examples.length / copies;
    const logShare = Math.log(observed / (spans + 1));
    const shape = {
      logShare,
      spans: observed,
      types: first.map((call) => callType[call]!),
      template: undefined,
      duration: undefined,
    };
    if (first.length === 0) {
      const durations = Float64Array.from(
        examples,
        ({ span }) => spanEnd[span]! - spanStart[span]!,
      ).filter(Number.isFinite);
      const enough = observed >= LEAST_FOR_EMPTY && durations.length > 0;
      return { ...shape, duration: enough ? new GapDensity(durations, copies) : undefined };
    }
    if (observed >= LEAST_FOR_TEMPLATE) {
      return { ...shape, template: new Template(this.#problem, examples, copies) };
    }
    return { ...shape, logShare: Math.max(unseen - 2 * first.length, logShare - 2) };
  }

  /** Densities for spans of rare shapes: each call after the latest reply before it. */
  #learnGeneric(examples: readonly Example[], types: number, copies: number) {
    const gaps = Array.from({ length: types }, (): number[] => []);
    const final: number[] = [];
    for (const { span, bundle } of examples) {
      const end = this.#walk(span, bundle, (call, gap) => {
        gaps[this.#problem.callType[call]!]!.push(gap);
      });
      if (bundle.length > 0) final.push(this.#problem.spanEnd[span]! - end);
    }
    const density = (values: number[]) => {
      const finite = Float64Array.from(values.filter(Number.isFinite));
      return finite.length >= LEAST_FOR_DENSITY ? new GapDensity(finite, copies) : undefined;
    };
    return { gaps: gaps.map(density), final: density(final) };
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

  /** Log probability of a span having just these calls when it had them. */
  score(span: number, bundle: Bundle): number {
    const { spanStart, spanEnd, spanRoute } = this.#problem;
    const route = this.#routes.get(spanRoute[span]!);
    if (route === undefined) return -12 * bundle.length - 5;
    const shape = route.shapes.get(this.#keyOf(bundle));
    if (shape === undefined) {
      return route.unseen - 2 * bundle.length + this.#generic(route, span, bundle);
    }
    if (shape.template !== undefined) return shape.logShare + shape.template.log(span, bundle);
    if (bundle.length > 0) return shape.logShare + this.#generic(route, span, bundle);
    const duration = spanEnd[span]! - spanStart[span]!;
    return shape.logShare + (shape.duration?.log(duration) ?? UNSEEN);
  }

  /** The most frequent shape of a route that has a template. */
  usualShape(route: number): { template: Template; types: readonly number[] } | undefined {
    let best: Shape | undefined;
    for (const shape of this.#routes.get(route)?.shapes.values() ?? []) {
      if (shape.template !== undefined && (best === undefined || shape.spans > best.spans)) {
        best = shape;
      }
    }
    return best?.template && { template: best.template, types: best.types };
  }
}
