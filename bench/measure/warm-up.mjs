/** Tokens of which it is told what they took. */
export const firstTokens = 96;

/** Tokens after those, before the first turn. */
const more = 64;

/** Tokens of the prompt that both come behind. */
const prompt = 16;

/**
 * Lets a contestant decode 160 tokens before its first turn. V8 compiles what it runs often, on other threads of the
 * process; with no more cores than ranks those take the ranks' cores, for about as many tokens (4 ranks on 2 cores were
 * up to a third slower for 30 tokens behind the first hundred).
 *
 * @param contestant a `ContestantProcess`
 * @returns milliseconds of each of the first 96
 */
export async function warmUp(contestant) {
  const first = await contestant.call("decode", [prompt, firstTokens]);
  await contestant.call("decode", [prompt, more]);
  return first;
}
