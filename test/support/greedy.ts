/** Two logits that are closer than this may swap order when sums are computed in another order. */
const tellApart = 2e-3;

/**
 * Whether tokens equal those of the reference up to the first position at which the reference's two best logits are too
 * close to distinguish; after that they may diverge.
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
