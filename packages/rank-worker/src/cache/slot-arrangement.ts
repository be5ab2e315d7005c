/**
 * The fewest swaps that make `slots` adjacent.
 *
 * @param total the number of slots
 * @returns pairs `[slot to move, slot whose place it takes]`
 */
export function swapsToNeighbours(slots: readonly number[], total: number): [from: number, to: number][] {
  const wanted = new Set(slots);
  let best = 0;
  let mostInside = -1;
  for (let first = 0; first + slots.length <= total; first++) {
    let inside = 0;
    for (let slot = first; slot < first + slots.length; slot++) if (wanted.has(slot)) inside++;
    if (inside > mostInside) {
      best = first;
      mostInside = inside;
    }
  }
  const last = best + slots.length;
  const outside = slots.filter((slot) => slot < best || slot >= last);
  const places = Array.from({ length: slots.length }, (_, at) => best + at).filter(
    (slot) => !wanted.has(slot),
  );
  return Array.from(outside, (slot, at) => [slot, places[at]!]);
}
