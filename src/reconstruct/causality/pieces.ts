/**
 * Share of the requests handed back that were so once, 0..1: the others are worked on in pieces by several tasks.
 *
 * @param handBacks per server: how often a worker handed a result back to it
 */
export function shareInOnePiece(handBacks: Uint16Array): number {
  let handed = 0;
  let once = 0;
  for (const count of handBacks) {
    if (count > 0) handed++;
    if (count === 1) once++;
  }
  return handed === 0 ? 1 : once / handed;
}
