import type { GraphBuilder, Value } from "../../graph/index.js";

/**
 * Keeps the state `name`, float32 `[batch, …dims]`: what `next` makes of the last step's is what the next step is given.
 *
 * @param next gives, besides, what the layer goes on with
 */
export function recur(
  g: GraphBuilder,
  name: string,
  dims: readonly number[],
  next: (past: Value) => [y: Value, present: Value],
): Value {
  const state = { past: `past.${name}`, present: `present.${name}` };
  const shape = ["batch", ...dims];
  const [y, present] = next(g.input(state.past, "float32", shape));
  g.output(state.present, present, "float32", shape);
  g.recur(state);
  return y;
}
