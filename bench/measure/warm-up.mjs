/** The number of tokens whose times are returned. */
export const firstTokens = 96;

/** The number of all tokens before the first turn. */
export const warmUpTokens = 160;

/** The most tokens of one call; contestants have no room for many more. */
const piece = 64;

/** The number of tokens in the prompt before them. */
const prompt = 16;

/**
 * Lets a contestant decode some tokens before its first turn. V8 compiles frequently executed code on other threads of
 * the process. If there are no more cores than ranks, those threads take the ranks' cores, for about as many tokens (4
 * ranks on 2 cores were up to a third slower for 30 tokens after the first hundred).
 *
 * @param contestant a `ContestantProcess`
 * @param tokens more than 96
 * @returns milliseconds of each of the first 96
 */
export async function warmUp(contestant, tokens = warmUpTokens) {
  const first = await contestant.call("decode", [prompt, firstTokens]);
  for (let left = tokens - firstTokens; left > 0; left -= piece) {
    await contestant.call("decode", [prompt, Math.min(left, piece)]);
  }
  return first;
}
