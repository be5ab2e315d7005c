/** The number of tokens whose times are returned. */
export const firstTokens = 96;

/** The number of all tokens before the first turn, unless they take longer than {@link warmUpSeconds}. */
export const warmUpTokens = 1000;

/** A trace has room for fewer. */
export const tracedWarmUpTokens = 480;

/** Of slow contestants, V8 has compiled most code by then; of the others, all that matters. */
const warmUpSeconds = 20;

/** The most tokens of one call; contestants have no room for many more. */
const piece = 64;

/** The number of tokens in the prompt before them. */
const prompt = 16;

/**
 * Lets a contestant decode before its first turn. V8 compiles frequently executed code on other threads of the process,
 * for each of its own threads again, during about the first thousand tokens. If there are no more cores than ranks, it
 * takes the ranks' cores: 2 ranks on 2 cores take up to a tenth longer for these tokens, 4 ranks a fifth. A contestant
 * that starts later than another would be compared with one that has all this behind it.
 *
 * @param contestant a `ContestantProcess`
 * @param tokens more than 96
 * @returns milliseconds of each of the first 96
 */
export async function warmUp(contestant, tokens = warmUpTokens) {
  const until = performance.now() + 1000 * warmUpSeconds;
  const first = await contestant.call("decode", [prompt, firstTokens]);
  for (let left = tokens - firstTokens; left > 0 && performance.now() < until; left -= piece) {
    await contestant.call("decode", [prompt, Math.min(left, piece)]);
  }
  return first;
}
