import { parametersOf } from "../checkpoints/shapes.mjs";

/** Tokens of a decode turn: about half a second's worth, at least 4. */
export function decodeTokens(shape, layers, precision) {
  const bytes = parametersOf(shape, layers) * { float32: 4, int8: 1.1, int4: 0.65 }[precision];
  return Math.min(24, Math.max(4, Math.round(0.5 / (bytes / 20e9 + 2e-3))));
}
