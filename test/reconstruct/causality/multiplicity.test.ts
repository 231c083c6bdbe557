import { describe, expect, it } from 'vitest';
import { Role } from '../../../src/model/exchange.js';
import {
  CANDIDATES_KEPT,
  Decisions,
  VerdictCode,
} from '../../../src/reconstruct/causality/decide.js';
import { callKinds, requestKinds } from '../../../src/reconstruct/causality/kinds.js';
import { limitMultiplicity } from '../../../src/reconstruct/causality/multiplicity.js';
import { indexProcess } from '../../../src/reconstruct/causality/process-index.js';
import { tableOf, threadPool } from './simulate.js';

/** A pool of threads, every call linked to its parent: of one route, with as many calls each. */
function linked() {
  const simulated = threadPool(4, 60, 1);
  const { exchanges, rows } = tableOf(simulated);
  const index = indexProcess(exchanges, rows);
  const decisions = new Decisions(index.clients.length);
  for (let client = 0; client < index.clients.length; client++) {
    decisions.verdict[client] = VerdictCode.probable;
    decisions.server[client * CANDIDATES_KEPT] = index.servers.indexOf(
      simulated[index.clients[client]!]!.truth!,
    );
    decisions.confidence[client * CANDIDATES_KEPT] = 0.97;
  }
  const limit = () => limitMultiplicity(index, decisions, callKinds(index), requestKinds(index));
  return { index, decisions, limit };
}

/** Gives the calls from `first` on to the request of the first of them. */
function giveToOne(decisions: Decisions, first: number, count: number): void {
  for (let client = first; client < first + count; client++) {
    decisions.server[client * CANDIDATES_KEPT] = decisions.best(first);
  }
}

describe('the number of calls that a request is given', () => {
  it('is left alone where it is what its route makes', () => {
    const { index, decisions, limit } = linked();
    expect(index.exchanges.role[index.servers[0]!]).toBe(Role.server);
    limit();
    expect(new Set(decisions.verdict)).toEqual(new Set([VerdictCode.probable]));
  });

  it('is doubted where it is far more than that', () => {
    const { decisions, limit } = linked();
    giveToOne(decisions, 20, 16);
    limit();
    const given = decisions.verdict.subarray(20, 36);
    expect(new Set(given)).toEqual(new Set([VerdictCode.unknown]));
    expect(decisions.bestConfidence(20)).toBeCloseTo(0.485);
    const others = [...decisions.verdict.subarray(0, 20), ...decisions.verdict.subarray(36)];
    expect(others.filter((verdict) => verdict === VerdictCode.unknown).length).toBeLessThan(4);
  });

  it('does not take back what is certain', () => {
    const { decisions, limit } = linked();
    giveToOne(decisions, 20, 16);
    decisions.verdict[25] = VerdictCode.certain;
    limit();
    expect(decisions.verdict[25]).toBe(VerdictCode.certain);
    expect(decisions.bestConfidence(25)).toBe(0.97);
  });
});
