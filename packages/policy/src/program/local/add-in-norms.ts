import type { AllReduceStep, NormalizeStep } from "../program.js";

/** If a sum is normalized next, the normalization step also adds the sum's addends: one pass over the rows for both. */
export function addInNorms(
  allReduces: readonly AllReduceStep[],
  normalizations: readonly NormalizeStep[],
): { readonly allReduces: readonly AllReduceStep[]; readonly normalizations: readonly NormalizeStep[] } {
  const addends = new Map(allReduces.map(({ value, added }) => [value, added]));
  const adding = normalizations.map((step): NormalizeStep => {
    const added = addends.get(step.value);
    if (added === undefined) return step;
    addends.delete(step.value);
    return { ...step, added };
  });
  const reducing = allReduces.map(({ added, ...step }): AllReduceStep => {
    return added === undefined || !addends.has(step.value) ? step : { ...step, added };
  });
  return { allReduces: reducing, normalizations: adding };
}
