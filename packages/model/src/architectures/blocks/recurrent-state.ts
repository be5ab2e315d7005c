import type { GraphBuilder, Value } from "../../graph/index.js";

/**
 * Adds the state `name`, float32 `[batch, …dims]`, which is carried from step to step.
 *
 * @param next computes the new state from the past one, and `y`, the output for this step
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
