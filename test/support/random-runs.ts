/**
 * fast-check's parameters for a property: `runs` cases from one seed. `RINGRANK_SEEDS` sets another number of cases,
 * `RINGRANK_SEED` another seed.
 */
export function randomRuns(runs: number): { readonly numRuns: number; readonly seed: number } {
  const { RINGRANK_SEEDS, RINGRANK_SEED } = process.env;
  return { numRuns: Number(RINGRANK_SEEDS ?? runs), seed: Number(RINGRANK_SEED ?? 20) };
}
