/**
 * On how many ranks a fixture is loaded: on 2, and every other one also on one of 1, 3 and 4, so that each of these
 * numbers meets a sixth of the fixtures. With `RINGRANK_RANKS=all`, as `npm run test:full` has it, on 1 to 4. Nearly all
 * that such a test takes is the start of its threads; what is split how on 2, 3 and 4 ranks is tested of every fixture
 * without any.
 */
export function rankCounts(fixture: string): readonly number[] {
  if (process.env.RINGRANK_RANKS === "all") return [1, 2, 3, 4];
  return [[2], [2, 1], [2], [2, 3], [2], [2, 4]][sumOfCharacters(fixture) % 6]!;
}

/** Of the name and not of its place in a list, so that a new fixture changes nothing for others. */
function sumOfCharacters(name: string): number {
  return [...name].reduce((sum, character) => sum + character.codePointAt(0)!, 0);
}
