import { effect } from '@preact/signals';
import { index, type Region, region } from './state.js';

interface Cell {
  readonly column: number;
  /** -1 is the row of failures. */
  readonly row: number;
}

function cellOf(target: EventTarget | null): Cell | null {
  if (!(target instanceof SVGElement) || target.dataset.column === undefined) return null;
  const { column, row } = target.dataset;
  return { column: Number(column), row: row === 'failed' ? -1 : Number(row) };
}

function regionOf(a: Cell, b: Cell): Region {
  const rows = [a.row, b.row].filter((row) => row >= 0);
  const failed = a.row === -1 || b.row === -1;
  // A drag from the failures into the latencies takes in the slowest rows between them.
  const top = failed && rows.length > 0 ? index.heatMap.boundsMs.length - 1 : Math.max(-1, ...rows);
  return {
    fromColumn: Math.min(a.column, b.column),
    toColumn: Math.max(a.column, b.column),
    fromRow: rows.length === 0 ? 0 : Math.min(...rows),
    toRow: top,
    failed,
  };
}

function isSelected({ column, row }: Cell, area: Region): boolean {
  if (column < area.fromColumn || column > area.toColumn) return false;
  return row === -1 ? area.failed : row >= area.fromRow && row <= area.toRow;
}

/** Lets the reader pick a part of the heat map, which filters the traces. */
export function startHeatMapSelection(): void {
  const picture = document.getElementById('heat-map-picture');
  if (picture === null) return;
  let from: Cell | null = null;
  picture.addEventListener('pointerdown', (event) => {
    from = cellOf(event.target);
    region.value = from === null ? null : regionOf(from, from);
    event.preventDefault();
  });
  picture.addEventListener('pointermove', (event) => {
    const to = cellOf(event.target);
    if (from !== null && to !== null) region.value = regionOf(from, to);
  });
  addEventListener('pointerup', () => {
    from = null;
  });
  const marks = [...picture.querySelectorAll('.cell')];
  effect(() => {
    const area = region.value;
    picture.classList.toggle('selecting', area !== null);
    for (const mark of marks) {
      mark.classList.toggle('selected', area !== null && isSelected(cellOf(mark)!, area));
    }
  });
}
