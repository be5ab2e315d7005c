/** The measurement that matches all of `what`, or undefined. */
export function find(measurements, what) {
  return measurements.find((one) => matches(one, what));
}

/**
 * How many times faster one contestant was than another, turn by turn as they took them:
 * `times of the other / times of the one`.
 *
 * @param what the row and cell that both are in
 * @returns `ratios` by turn, and `times` of both; or the reason for their absence, as `missing`
 */
export function speedRatios(measurements, what, label, other) {
  // A contestant that stays open is measured with several others.
  const turnsOf = (label, other) =>
    measurements.find((one) => matches(one, { ...what, label }) && one.beside?.includes(other))?.turns;
  const [ours, theirs] = [turnsOf(label, other), turnsOf(other, label)];
  if (ours !== undefined && theirs !== undefined)
    return { ratios: ours.map((time, turn) => theirs[turn] / time), times: [ours, theirs] };
  const both = [other, label].map((label) => ({ ...what, label }));
  return { missing: whyMissing(measurements, both.find((one) => reasonOf(measurements, one)) ?? both[0]) };
}

/** Why there is no figure for `what`: it failed, was skipped, or its contestant never opened. */
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

/** Like `matches`, but a property that a measurement lacks matches everything. */
function agrees(one, what) {
  return Object.entries(what).every(([key, value]) => one[key] === undefined || one[key] === value);
}
