import type { GraphBuilder, Value } from "../../graph/index.js";
import type { ModelContext } from "../architecture.js";
import type { CausalStep } from "./causal-step.js";
import { recur } from "./recurrent-state.js";

interface CausalConvolution {
  /** Of the module: the tensors are `name.weight`, `[channels, 1, taps]`, and `name.bias`. */
  readonly name: string;
  readonly layer: number;
  readonly channels: number;
  /** How many positions it reaches over, its own included. */
  readonly taps: number;
  readonly bias: boolean;
}

/** Each channel of `[batch, sequence, channels]` over its last positions, of which those of earlier steps are kept. */
export function causalConvolution(
  { g, parameters }: ModelContext,
  x: Value,
  { name, layer, channels, taps, bias }: CausalConvolution,
): Value {
  const kernel = parameters.get(`${name}.weight`, [channels, 1, taps]);
  const shift = bias ? parameters.get(`${name}.bias`, [channels]) : undefined;
  return recur(g, `${layer}.positions`, [taps - 1, channels], (past) =>
    g.causalConvolution(x, kernel, shift, past),
  );
}

/** Padding made zero in `[batch, sequence, …]` of three axes, so that it leaves a state as it is. */
export function withoutPadding(g: GraphBuilder, x: Value, { attentionMask }: CausalStep): Value {
  return g.mul(x, g.unsqueeze(g.cast(attentionMask, "float32"), [2]));
}
