/**
 * What fast-check is to run of a property: `runs` cases of one seed. `RINGRANK_SEEDS` asks for more, `RINGRANK_SEED` for
 * others.
 */
export function randomRuns(runs: number): { readonly numRuns: number; readonly seed: number } {
  const { RINGRANK_SEEDS, RINGRANK_SEED } = process.env;
  return { numRuns: Number(RINGRANK_SEEDS ?? runs), seed: Number(RINGRANK_SEED ?? 20) };
}
