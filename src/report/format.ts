/** Numbers and moments as a reader wants them; shared by the analysis, the renderers and the viewer. */

/** Three significant digits with a unit: 412 µs, 1.23 ms, 45.6 s, 12.3 min. */
export function formatDuration(ms: number): string {
  const size = Math.abs(ms);
  if (size === 0) return '0 ms';
  if (size < 0.9995) return `${significant(ms * 1000)} µs`;
  if (size < 999.5) return `${significant(ms)} ms`;
  if (size < 119_950) return `${significant(ms / 1000)} s`;
  if (size < 7_197_000) return `${significant(ms / 60_000)} min`;
  return `${significant(ms / 3_600_000)} h`;
}

function significant(value: number): string {
  const size = Math.abs(value);
  const digits = size < 9.995 ? 2 : size < 99.95 ? 1 : 0;
  return value.toFixed(digits);
}

/** A duration that may be missing. */
export function formatOptional(ms: number | null): string {
  return ms === null ? 'none' : formatDuration(ms);
}

/** Thousands in groups: 12,345; fractions only below ten. */
export function formatCount(value: number): string {
  const rounded = Math.abs(value) < 10 ? Math.round(value * 10) / 10 : Math.round(value);
  return rounded.toLocaleString('en-US');
}

/** A share as percent. All but none and none but some stay visible: 99.9 is never printed as 100. */
export function formatShare(share: number): string {
  const percent = share * 100;
  if (percent > 0 && percent < 0.1) return '< 0.1 %';
  if (percent < 100 && percent > 99.9) return '> 99.9 %';
  const digits = percent === Math.round(percent) || percent >= 99.95 ? 0 : 1;
  return `${percent.toFixed(digits)} %`;
}

/** Part of a whole with its percentage: "75 of 410 (18.3 %)". */
export function formatPart(part: number, whole: number): string {
  const share = whole === 0 ? '' : ` (${formatShare(part / whole)})`;
  return `${formatCount(part)} of ${formatCount(whole)}${share}`;
}

/** Bytes with a binary unit. */
export function formatBytes(bytes: number): string {
  if (bytes < 1024) return `${bytes} B`;
  const power = Math.min(4, Math.floor(Math.log2(bytes) / 10));
  return `${significant(bytes / 1024 ** power)} ${['B', 'KiB', 'MiB', 'GiB', 'TiB'][power]}`;
}

function iso(epochNs: string, ms: number): string {
  return new Date(Number(BigInt(epochNs) / 1000n) / 1000 + ms).toISOString();
}

/** A moment as UTC time of day with milliseconds: 12:34:56.789. */
export function formatClock(epochNs: string, ms: number): string {
  return iso(epochNs, ms).slice(11, 23);
}

/** A stretch of time in UTC: 2026-11-23 12:34:56 to 12:35:20, the second date only if it differs. */
export function formatRange(epochNs: string, fromMs: number, toMs: number): string {
  const from = iso(epochNs, fromMs).slice(0, 19).replace('T', ' ');
  const to = iso(epochNs, toMs).slice(0, 19).replace('T', ' ');
  return `${from} to ${to.startsWith(from.slice(0, 10)) ? to.slice(11) : to}`;
}
