/** The measurement of which all of `what` is true, or undefined. */
export function find(measurements, what) {
  return measurements.find((one) => matches(one, what));
}

/**
 * How many times faster one contestant was than another, turn by turn as they took them: `times of the other / times
 * of the one`.
 *
 * @param what the row and cell that both are in
 * @returns ratios by turn, or why there are none
 */
export function speedRatios(measurements, what, label, other) {
  const theirs = find(measurements, { ...what, label: other });
  if (theirs === undefined) return { missing: `${other} was not measured` };
  if (theirs.turns === undefined) return { missing: `${other}: ${theirs.failed ?? theirs.skipped}` };
  const ours = measurements.find(
    (one) => matches(one, { ...what, label }) && one.turns !== undefined && one.beside?.includes(other),
  );
  if (ours === undefined) return { missing: `${label} was not measured beside ${other}` };
  return { ratios: ours.turns.map((time, turn) => theirs.turns[turn] / time) };
}

function matches(one, what) {
  return Object.entries(what).every(([key, value]) => one[key] === value);
}
