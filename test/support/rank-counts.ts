/**
 * On how many ranks a fixture is loaded: half of the fixtures on 2, the others on 1, 3 or 4. With `RINGRANK_RANKS=all`,
 * as `npm run test:full` has it, each on 1 to 4. Nearly all that such a test takes is the start of its threads; what is
 * split how on 2, 3 and 4 ranks is tested of every fixture without any.
 */
export function rankCounts(fixture: string): readonly number[] {
  if (process.env.RINGRANK_RANKS === "all") return [1, 2, 3, 4];
  return [[2, 3, 2, 4, 2, 1][sumOfCharacters(fixture) % 6]!];
}

/** Of the name and not of its place in a list, so that a new fixture changes nothing for others. */
function sumOfCharacters(name: string): number {
  return [...name].reduce((sum, character) => sum + character.codePointAt(0)!, 0);
}
