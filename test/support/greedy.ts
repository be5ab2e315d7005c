/** Two logits closer than this may change places when sums are taken in another order. */
const tellApart = 2e-3;

/**
 * Whether tokens are those of the reference up to the first position at which the reference's two best logits are
 * too close to tell apart; from there on the two may go separate ways.
 */
export function greedyAgreement(
  expected: readonly number[],
  gaps: readonly number[],
): (ids: readonly number[]) => boolean {
  const close = gaps.findIndex((gap) => gap < tellApart);
  const compared = close === -1 ? expected.length : close;
  return (ids) =>
    ids.length >= compared && expected.slice(0, compared).every((id, index) => ids[index] === id);
}
