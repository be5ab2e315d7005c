/**
 * Lets contestants take turns at one call (A B A B …), so that if the machine slows down, it slows down all of them.
 *
 * @param contestants by name: `ContestantProcess`es or other objects with its `call`
 * @param onTurn called before each turn, with its number
 * @returns by name: samples, or the error after which the contestant was excluded
 */
export async function takeTurns(contestants, call, args, { turns, warmUp = 0, onTurn = () => {} }) {
  const outcomes = new Map([...contestants.keys()].map((name) => [name, { samples: [], error: undefined }]));
  for (let turn = -warmUp; turn < turns; turn++) {
    for (const [name, contestant] of contestants) {
      const outcome = outcomes.get(name);
      if (outcome.error !== undefined) continue;
      onTurn(turn, name);
      try {
        const value = await contestant.call(call, args);
        if (turn >= 0) outcome.samples.push(value);
      } catch (error) {
        outcome.error = error;
      }
    }
  }
  return outcomes;
}
