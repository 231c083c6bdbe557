import { EVENT_COLUMNS } from '../../src/model/batch.js';
import { EventKind, type HeartbeatDetail } from '../../src/model/event.js';
import { readCatalog } from '../../src/store/catalog.js';
import { openSegment } from '../../src/store/segment-reader.js';
import { runCommand } from './recorder.js';
import type { Verdicts } from './verdicts.js';

export interface Tape {
  readonly segments: number;
  /** Segments that a recorder left open. */
  readonly open: number;
  readonly unreadable: number;
  /** Events stored. */
  readonly events: number;
  /** Losses by cause. */
  readonly losses: Readonly<Record<string, number>>;
  /** What the last heartbeat of the last recording says. */
  readonly last: HeartbeatDetail | undefined;
}

type Column = keyof typeof EVENT_COLUMNS & string;

const EVERY_COLUMN = Object.keys(EVENT_COLUMNS) as Column[];
/** What {@link readTape} looks at. */
export const COUNTED_COLUMNS: readonly Column[] = ['kind', 'count', 'name', 'detail'];

/**
 * Reads all events that a directory holds.
 *
 * @param columns these alone; without, every one, to see that all can be read
 */
export async function readTape(
  tape: string,
  columns: readonly Column[] = EVERY_COLUMN,
): Promise<Tape> {
  const { segments, unreadable } = await readCatalog([tape]);
  const losses: Record<string, number> = {};
  let events = 0;
  let last: HeartbeatDetail | undefined;
  for (const { path } of segments) {
    const segment = await openSegment(path);
    for await (const { rows, kind, count, name, detail } of segment.read({ columns })) {
      const textOf = ({ offsets, data }: typeof detail, row: number) =>
        Buffer.from(data.subarray(offsets[row], offsets[row + 1])).toString('utf8');
      for (let row = 0; row < rows; row++) {
        if (kind[row]! < EventKind.process) events++;
        if (kind[row] === EventKind.loss) {
          const cause = textOf(name, row);
          losses[cause] = (losses[cause] ?? 0) + Number(count[row]);
        }
        if (kind[row] === EventKind.heartbeat)
          last = JSON.parse(textOf(detail, row)) as HeartbeatDetail;
      }
    }
    segment.close();
  }
  const open = segments.filter(({ partial }) => partial).length;
  return {
    segments: segments.length,
    open,
    unreadable: unreadable.length,
    events,
    losses,
    last,
  };
}

/**
 * What one recording that ended well wrote, against what its kernel programs made, and what its heartbeat
 * says it lost against the rows of the ledger.
 */
export function checkAccount(
  verdicts: Verdicts,
  what: string,
  { events, last, losses }: Tape,
): void {
  if (last === undefined) {
    verdicts.check(what, false, 'no heartbeat');
    return;
  }
  const lost = Object.values(last.lost).reduce((sum, count) => sum + count, 0);
  const stored = events - last.repeated;
  verdicts.check(
    `${what}: produced = stored + accounted`,
    stored + lost === last.produced,
    `${last.produced} = ${stored} + ${lost}`,
  );
  const untold = Object.entries(last.lost).filter(
    ([cause, count]) => count !== (losses[cause] ?? 0),
  );
  const told = Object.entries(losses).map(([cause, count]) => `${cause} ${count}`);
  verdicts.check(
    `${what}: ledger says as much as the heartbeat`,
    untold.length === 0,
    told.join(', ') || 'no loss',
  );
}

/** Every segment is readable, and none was altered or is missing. */
export async function checkFiles(
  verdicts: Verdicts,
  what: string,
  directory: string,
  tape: Tape,
): Promise<void> {
  const { code, stdout, stderr } = await runCommand(['inspect', directory, '--verify']);
  const last = (stdout + stderr).trim().split('\n').at(-1) ?? '';
  verdicts.check(
    `${what}: files`,
    tape.segments > 0 && tape.unreadable === 0 && code === 0,
    `${tape.segments} segments, ${tape.unreadable} unreadable, ${tape.events} events; inspect --verify: exit code ${code}${code === 0 ? '' : `, ${last}`}`,
  );
}
