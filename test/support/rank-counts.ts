/**
 * On how many ranks a fixture is loaded: on one of 2, 3 and 4, so that every number meets a third of the fixtures, and
 * a fifth of them on 1 besides. With `RINGRANK_RANKS=all`, as `npm run test:full` has it, on 1 to 4. Most of what such
 * a test takes is the start of its threads; what is split how on 2, 3 and 4 ranks is tested of every fixture without
 * any.
 */
export function rankCounts(fixture: string): readonly number[] {
  if (process.env.RINGRANK_RANKS === "all") return [1, 2, 3, 4];
  const sum = sumOfCharacters(fixture);
  const several = [2, 3, 4][sum % 3]!;
  return sum % 4 === 0 ? [1, several] : [several];
}

/** Of the name and not of its place in a list, so that a new fixture changes nothing for others. */
function sumOfCharacters(name: string): number {
  return [...name].reduce((sum, character) => sum + character.codePointAt(0)!, 0);
}
