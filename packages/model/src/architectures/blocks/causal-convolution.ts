import type { GraphBuilder, Value } from "../../graph/index.js";
import type { ModelContext } from "../architecture.js";
import type { CausalStep } from "./causal-step.js";
import { recur } from "./recurrent-state.js";

interface CausalConvolution {
  /** The module's name: the tensors are `name.weight`, `[channels, 1, taps]`, and `name.bias`. */
  readonly name: string;
  readonly layer: number;
  readonly channels: number;
  /** The kernel's size: how many positions it reads, including the current one. */
  readonly taps: number;
  readonly bias: boolean;
}

/** A depthwise causal convolution over `[batch, sequence, channels]`. Its state is the last `taps − 1` positions. */
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

/**
 * Sets padding in `[batch, sequence, …]`, three axes, to zero, so that it changes neither a state nor what is near it.
 */
export function withoutPadding(
  g: GraphBuilder,
  x: Value,
  { attentionMask }: Pick<CausalStep, "attentionMask">,
): Value {
  return g.mul(x, g.unsqueeze(g.cast(attentionMask, "float32"), [2]));
}
