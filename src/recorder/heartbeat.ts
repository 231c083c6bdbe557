import { EventKind, HEARTBEAT_MS, type HeartbeatDetail, LossCause } from '../model/event.js';
import { lossRow } from './loss-ledger.js';
import type { Row } from './rows.js';

/** A look that comes this much later than it should is a stall, ms. */
const LATE_MS = 3000;
const LOOK_EVERY_MS = 1000;

/** Says now and then that the recorder is alive, and notices when it was not. */
export class Heartbeat {
  private lastBeatMs = -Infinity;
  private lastLookMs: number | undefined;
  private lastLookNs = 0n;
  /** Stalls so far. */
  stalls = 0;

  /**
   * To be called about once a second.
   *
   * @param detail what the heartbeat says, asked only when one is due
   */
  look(nowMs: number, nowNs: bigint, detail: () => HeartbeatDetail): Row[] {
    const rows: Row[] = [];
    const lateMs = this.lastLookMs === undefined ? 0 : nowMs - this.lastLookMs - LOOK_EVERY_MS;
    if (lateMs > LATE_MS) {
      this.stalls++;
      const scope = `the recorder did not run for ${(lateMs / 1000).toFixed(1)} s`;
      rows.push(lossRow(LossCause.stall, 1, nowNs, { fromNs: this.lastLookNs.toString(), scope }));
    }
    this.lastLookMs = nowMs;
    this.lastLookNs = nowNs;
    if (nowMs - this.lastBeatMs >= HEARTBEAT_MS) rows.push(this.beat(nowMs, nowNs, detail()));
    return rows;
  }

  beat(nowMs: number, timeNs: bigint, detail: HeartbeatDetail): Row {
    this.lastBeatMs = nowMs;
    return { timeNs, kind: EventKind.heartbeat, detail: JSON.stringify(detail) };
  }
}
