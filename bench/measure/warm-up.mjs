/** The number of tokens whose times are returned. */
export const firstTokens = 96;

/** The number of tokens after those, before the first turn. */
const more = 64;

/** The number of tokens in the prompt before both. */
const prompt = 16;

/**
 * Lets a contestant decode 160 tokens before its first turn. V8 compiles frequently executed code on other threads of
 * the process. If there are no more cores than ranks, those threads take the ranks' cores, for about as many tokens (4
 * ranks on 2 cores were up to a third slower for 30 tokens after the first hundred).
 *
 * @param contestant a `ContestantProcess`
 * @returns milliseconds of each of the first 96
 */
export async function warmUp(contestant) {
  const first = await contestant.call("decode", [prompt, firstTokens]);
  await contestant.call("decode", [prompt, more]);
  return first;
}
