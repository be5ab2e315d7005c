import { parametersOf } from "../checkpoints/shapes.mjs";
import { ahead } from "../contestants/decode-turns.mjs";
import { growth } from "../contestants/prompts.mjs";

/** The number of traced decode steps after each context. */
export const tracedTokens = 32;

/**
 * The tokens of a decode turn: about half a second's worth, at least 4, and few enough that `turns` turns fit after one
 * prompt.
 */
export function decodeTokens({ shape, layers, precision, turns }) {
  const bytes = parametersOf(shape, layers) * { float32: 4, int8: 1.1, int4: 0.65 }[precision];
  const wanted = Math.round(0.5 / (bytes / 20e9 + 2e-3));
  // The prompt also produces a token.
  const room = Math.floor((growth - 1) / turns) - ahead;
  return Math.min(Math.max(4, wanted), room);
}
