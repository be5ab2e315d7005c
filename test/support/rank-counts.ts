/**
 * The numbers of ranks on which a fixture is loaded: 2 for half of the fixtures, and 1, 3 or 4 for the others. With
 * `RINGRANK_RANKS=all`, as in `npm run test:full`, each is loaded on 1 to 4. Starting threads takes most of the time of
 * such tests; how every fixture is split on 2, 3 and 4 ranks is tested without threads.
 */
export function rankCounts(fixture: string): readonly number[] {
  if (process.env.RINGRANK_RANKS === "all") return [1, 2, 3, 4];
  return [[2, 3, 2, 4, 2, 1][sumOfCharacters(fixture) % 6]!];
}

/**
 * The numbers of ranks on which an export is split without threads: 2, and 1, 3 or 4; with `RINGRANK_RANKS=all`, all of
 * these.
 */
export function emulatedRankCounts(fixture: string): readonly number[] {
  if (process.env.RINGRANK_RANKS === "all") return [1, 2, 3, 4];
  return [2, [1, 3, 4][sumOfCharacters(fixture) % 3]!];
}

/** Depends on the name, not on its place in a list, so that a new fixture changes nothing for others. */
function sumOfCharacters(name: string): number {
  return [...name].reduce((sum, character) => sum + character.codePointAt(0)!, 0);
}
