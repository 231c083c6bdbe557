import { type Alignment, align } from './alignment.js';
import { CauseWindow, type TurnClasses, turnStarts } from './classes.js';
import { type Effect, LEAST_LINK, shareUnknown } from './neighbours.js';
import type { TurnEvents } from './numbers.js';
import type { TurnParents } from './parents.js';
import type { TurnRules } from './rules.js';

/** Effects of one turn that are aligned at once: a longer turn is cut. */
const MOST_AT_ONCE = 512;
const MOST_CAUSES = 400;
const SURE = 1 - 1e-9;

/** One way in which a cause may lead to an effect. */
interface Link {
  /** Number of the rule, and event number of the cause. */
  readonly rule: number;
  readonly cause: number;
  readonly weight: number;
}

/**
 * Goes through all turns, aligns causes and effects of each by what is believed of the calls' parents, and
 * passes on what that says: belief propagation over the chain of request, calls, replies and response.
 */
export class TurnPasses {
  private readonly starts: Int32Array;
  private readonly window: CauseWindow;
  /** By entry of the lists. */
  private next: Float64Array;
  private readonly routeOf: Uint32Array;
  /** Per client: the call made right before it for the same cause, known or not; -1 none. */
  readonly pair: Int32Array;

  constructor(
    private readonly classes: TurnClasses,
    private readonly reads: TurnEvents,
    private readonly writes: TurnEvents,
    private readonly parents: TurnParents,
    private readonly rules: TurnRules,
    private readonly open: Float64Array,
  ) {
    this.starts = turnStarts(writes);
    this.window = new CauseWindow(reads);
    this.next = new Float64Array(parents.down.length);
    this.routeOf = classes.requests.of;
    this.pair = new Int32Array(classes.calls.of.length).fill(-1);
  }

  /**
   * One pass. Forwards, what causes say reaches all that comes after at once; backwards, what responses say
   * reaches all that came before.
   */
  run(isForward: boolean, admitsAnswers = false): void {
    this.begin();
    const turns = this.starts.length - 1;
    const down = this.parents.down;
    if (!isForward) this.parents.down = this.next;
    for (let i = 0; i < turns; i++) this.explain(isForward ? i : turns - 1 - i);
    this.parents.down = this.next;
    this.next = down;
    this.rules.learn(admitsAnswers);
  }

  /** What is known of a reply's call before any effect of it is seen: that others are not there. */
  private begin(): void {
    const { parents, reads, classes, rules, next, routeOf } = this;
    const { offsets, list } = parents.lists;
    const routes = classes.requests.count;
    const silence = rules.silence();
    next.fill(1);
    for (let at = 0; at < reads.count; at++) {
      const subject = reads.subject[at]!;
      const kind = classes.causeKind(reads, at);
      if (reads.isServer[at] === 1) {
        rules.addCause(kind, routeOf[subject]!, 1);
        continue;
      }
      let sum = 0;
      for (let entry = offsets[subject]!; entry < offsets[subject + 1]!; entry++) {
        next[entry] = silence[kind * routes + routeOf[list[entry]!]!]!;
        sum += parents.up[entry]! * parents.down[entry]!;
      }
      if (sum === 0) continue;
      for (let entry = offsets[subject]!; entry < offsets[subject + 1]!; entry++) {
        const share = (parents.up[entry]! * parents.down[entry]!) / sum;
        if (share > 0) rules.addCause(kind, routeOf[list[entry]!]!, share);
      }
    }
  }

  private explain(turn: number): void {
    const [from, to] = [this.starts[turn]!, this.starts[turn + 1]!];
    this.window.moveTo(this.writes.turn[from]!);
    for (let at = from; at < to; at += MOST_AT_ONCE) {
      this.alignEffects(at, Math.min(to, at + MOST_AT_ONCE));
    }
  }

  private alignEffects(from: number, to: number): void {
    const { window, rules, writes, classes } = this;
    const effects = Array.from({ length: to - from }, (_, i) => this.effect(from + i));
    const used = new Set<number>();
    const links = effects.map((effect) => {
      const found: Link[] = [];
      const first = Math.max(window.from, window.to - MOST_CAUSES);
      for (let cause = first; cause < window.to; cause++) {
        const rule = rules.of(classes.of(this.reads, cause, writes, effect.at));
        if (rule < 0) continue;
        const weight = this.weigh(rule, cause, effect, undefined);
        if (!(weight > 0)) continue;
        found.push({ rule, cause, weight });
        used.add(cause);
      }
      return found;
    });
    const causes = [...used].sort((a, b) => a - b);
    const place = new Map(causes.map((cause, i) => [cause, i]));
    const odds = new Float64Array(effects.length * causes.length);
    const again = new Float64Array(odds.length);
    const order = new Float64Array(odds.length);
    links.forEach((own, i) => {
      for (const { rule, cause, weight } of own) {
        odds[i * causes.length + place.get(cause)!] = weight;
        again[i * causes.length + place.get(cause)!] = Math.min(weight, 1) * rules.again[rule]!;
        if (i === 0) continue;
        const before = effects[i - 1]!.kind;
        const share = rules.order(rules.cause[rule]!, before, effects[i]!.kind);
        order[i * causes.length + place.get(cause)!] = share;
      }
    });
    const agreements = effects.map((effect, i) =>
      i === 0 ? 0 : this.agreement(effects[i - 1]!, effect),
    );
    const found = align({
      effects: effects.length,
      causes: causes.length,
      kind: Int32Array.from(effects, ({ kind }) => kind),
      odds,
      again,
      order,
      hidden: Float64Array.from(effects, ({ kind, at }) => rules.hidden[kind]! / this.open[at]!),
      together: Float64Array.from(effects, ({ kind }, i) =>
        i === 0 || agreements[i] === 0
          ? 0
          : rules.together(effects[i - 1]!.kind, kind) * agreements[i]!,
      ),
      hiddenAgain: Float64Array.from(effects, ({ kind }) => rules.hiddenAgain[kind]!),
    });
    this.tell(effects, links, place, causes.length, found, agreements);
  }

  private effect(at: number): Effect {
    const { writes, parents } = this;
    const subject = writes.subject[at]!;
    const isServer = writes.isServer[at] === 1;
    let believed = 0;
    if (!isServer) {
      const { offsets } = parents.lists;
      for (let entry = offsets[subject]!; entry < offsets[subject + 1]!; entry++) {
        believed += parents.prior[entry]! * parents.down[entry]!;
      }
    }
    return { at, kind: this.classes.effectKind(writes, at), subject, isServer, believed };
  }

  /** How a call's parent being this server compares with any parent, by what came of its reply. */
  private match(rule: number, effect: Effect, server: number): number {
    const { parents, rules } = this;
    const inherits = rules.inherits[rule]!;
    const entry = parents.find(effect.subject, server);
    const fits =
      entry < 0 || effect.believed === 0
        ? 0
        : (parents.fit[entry]! * parents.down[entry]!) / effect.believed;
    return inherits * fits + 1 - inherits;
  }

  /** Odds that the cause led to the effect; `each` sees the part of every parent that the cause may work for. */
  private weigh(
    rule: number,
    cause: number,
    effect: Effect,
    each: ((server: number, entry: number, weight: number, odds: number) => void) | undefined,
  ): number {
    const { reads, parents, rules, routeOf } = this;
    const subject = reads.subject[cause]!;
    const oddsOf = (server: number) => {
      const rate = rules.rate(rule, routeOf[server]!);
      return rate / (1 - rate);
    };
    if (reads.isServer[cause] === 1) {
      const odds = oddsOf(subject);
      const weight = effect.isServer ? odds : odds * this.match(rule, effect, subject);
      each?.(subject, -1, weight, odds);
      return weight;
    }
    if (effect.isServer) {
      const entry = parents.find(subject, effect.subject);
      if (entry < 0) return 0;
      const odds = oddsOf(effect.subject);
      const weight = odds * parents.up[entry]!;
      each?.(effect.subject, entry, weight, odds);
      return weight;
    }
    const { offsets, list } = parents.lists;
    let sum = 0;
    for (let entry = offsets[subject]!; entry < offsets[subject + 1]!; entry++) {
      const up = parents.up[entry]!;
      if (up < 1e-9) continue;
      const server = list[entry]!;
      const odds = oddsOf(server);
      if (odds === 0) continue;
      const weight = up * odds * this.match(rule, effect, server);
      each?.(server, entry, weight, odds);
      sum += weight;
    }
    return sum;
  }

  /** How much likelier two calls' replies are to have led where they did if both have one parent. */
  private agreement(a: Effect, b: Effect): number {
    if (a.isServer || b.isServer || a.believed === 0 || b.believed === 0) return 0;
    const { parents } = this;
    const { offsets, list } = parents.lists;
    let sum = 0;
    for (let entry = offsets[a.subject]!; entry < offsets[a.subject + 1]!; entry++) {
      const other = parents.find(b.subject, list[entry]!);
      if (other < 0) continue;
      sum +=
        parents.prior[entry]! * parents.down[entry]! * parents.fit[other]! * parents.down[other]!;
    }
    return sum / (a.believed * b.believed);
  }

  /** Passes on what an alignment says, to the calls made in this turn and to those whose replies led to it. */
  private tell(
    effects: readonly Effect[],
    links: readonly (readonly Link[])[],
    place: ReadonlyMap<number, number>,
    width: number,
    found: Alignment,
    agreements: readonly number[],
  ): void {
    const { rules } = this;
    const siblings = shareUnknown(this.parents, effects, found, agreements);
    effects.forEach((effect, i) => {
      const message = effect.isServer ? undefined : new Map<number, number>();
      let others = 0;
      for (const { rule, cause, weight } of links[i]!) {
        const at = i * width + place.get(cause)!;
        const link = Math.min(SURE, found.link[at]!);
        if (link < LEAST_LINK) continue;
        rules.addRepeat(rule, found.repeat[at]!);
        if (i > 0) {
          rules.addOrder(
            rules.cause[rule]!,
            effects[i - 1]!.kind,
            effect.kind,
            found.followed[at]!,
          );
        }
        others += this.tellLink(rule, cause, effect, weight, link, found.repeat[at]!, message);
      }
      const hidden = found.hidden[i]!;
      if (effect.isServer) this.tellAnswer(effect, hidden);
      rules.addHidden(effect.kind, Math.max(0, hidden - found.together[i]!));
      rules.addHiddenRepeat(effect.kind, hidden, found.hiddenRepeat[i]!);
      if (i > 0 && !effect.isServer && !effects[i - 1]!.isServer) {
        rules.addTogether(
          effects[i - 1]!.kind,
          effect.kind,
          found.hidden[i - 1]!,
          found.together[i]!,
        );
      }
      if (i > 0 && !effect.isServer && !effects[i - 1]!.isServer) {
        let shared = found.together[i]!;
        for (let at = i * width; at < (i + 1) * width; at++) shared += found.followed[at]!;
        this.pair[effect.subject] = shared > 0.5 ? effects[i - 1]!.subject : -1;
      }
      if (message !== undefined) this.setUp(effect, message, others, hidden, siblings[i]);
    });
  }

  private tellAnswer(effect: Effect, hidden: number): void {
    const { reads, writes, rules, classes, window, routeOf } = this;
    for (let cause = window.from; cause < window.to; cause++) {
      if (reads.isServer[cause] === 0 || reads.subject[cause] !== effect.subject) continue;
      const rule = rules.answerOf(classes.of(reads, cause, writes, effect.at));
      if (rule >= 0) rules.addAnswer(rule, routeOf[effect.subject]!, hidden);
    }
  }

  /** @returns the part of the link in which the call does not work for the cause's request */
  private tellLink(
    rule: number,
    cause: number,
    effect: Effect,
    weight: number,
    link: number,
    repeat: number,
    message: Map<number, number> | undefined,
  ): number {
    const { reads, parents, rules, routeOf, next } = this;
    const isReply = reads.isServer[cause] === 0;
    const inherits = rules.inherits[rule]!;
    const against = link / (1 - link) / weight;
    const first = Math.max(0, link - repeat);
    let others = 0;
    let inherited = 0;
    this.weigh(rule, cause, effect, (server, entry, part, odds) => {
      rules.addLink(rule, routeOf[server]!, (first * part) / weight);
      const own = isReply ? parents.up[entry]! * odds : odds;
      if (isReply) next[entry]! *= 1 + (part / parents.up[entry]!) * against;
      if (message === undefined) return;
      const at = parents.find(effect.subject, server);
      const scaled = (link / weight) * own;
      others += scaled * (1 - inherits);
      if (at < 0) return;
      message.set(at, (message.get(at) ?? 0) + scaled * inherits * parents.fit[at]!);
      const down = effect.believed === 0 ? 0 : parents.down[at]! / effect.believed;
      inherited += scaled * inherits * parents.fit[at]! * down;
    });
    if (message !== undefined) rules.addInherited(rule, link, inherited);
    return others;
  }

  private setUp(
    effect: Effect,
    message: ReadonlyMap<number, number>,
    others: number,
    hidden: number,
    sibling: Float64Array | undefined,
  ): void {
    const { up, prior, lists } = this.parents;
    const from = lists.offsets[effect.subject]!;
    for (let at = from; at < lists.offsets[effect.subject + 1]!; at++) {
      const unknown = sibling === undefined ? prior[at]! : sibling[at - from]!;
      up[at] = (message.get(at) ?? 0) + others * prior[at]! + hidden * unknown;
    }
    this.parents.normalise(up, effect.subject, prior);
  }
}
