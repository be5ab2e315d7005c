/** The measurement of which all of `what` is true, or undefined. */
export function find(measurements, what) {
  return measurements.find((one) => matches(one, what));
}

/**
 * How many times faster one contestant was than another, turn by turn as they took them: `times of the other / times
 * of the one`.
 *
 * @param what the row and cell that both are in
 * @returns `ratios` by turn, and `times` of both; or why there are none, as `missing`
 */
export function speedRatios(measurements, what, label, other) {
  // Who stays open is measured beside several others.
  const turnsOf = (label, other) =>
    measurements.find((one) => matches(one, { ...what, label }) && one.beside?.includes(other))?.turns;
  const [ours, theirs] = [turnsOf(label, other), turnsOf(other, label)];
  if (ours !== undefined && theirs !== undefined)
    return { ratios: ours.map((time, turn) => theirs[turn] / time), times: [ours, theirs] };
  const both = [other, label].map((label) => ({ ...what, label }));
  return { missing: whyMissing(measurements, both.find((one) => reasonOf(measurements, one)) ?? both[0]) };
}

/** Why there is no figure of `what`: it failed, was left out, or its contestant never opened. */
export function whyMissing(measurements, what) {
  const { row, context, label } = what;
  const name = [label, row, context].filter((part) => part !== undefined).join(", ");
  return `${name}: ${reasonOf(measurements, what) ?? "not measured"}`;
}

function reasonOf(measurements, what) {
  const without = measurements.filter(({ failed, skipped }) => failed !== undefined || skipped !== undefined);
  const { label, shape, precision } = what;
  const opening = { shape, precision, label, load: "first" };
  const reason =
    without.find((one) => agrees(one, what)) ??
    without.find((one) => ["load", "models"].includes(one.row) && agrees(one, opening));
  return reason?.failed ?? reason?.skipped;
}

function matches(one, what) {
  return Object.entries(what).every(([key, value]) => one[key] === value);
}

/** As `matches`, but what a measurement does not say it is of, it is of all. */
function agrees(one, what) {
  return Object.entries(what).every(([key, value]) => one[key] === undefined || one[key] === value);
}
