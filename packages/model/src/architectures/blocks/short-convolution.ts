import type { ModelContext } from "../architecture.js";
import { causalConvolution, withoutPadding } from "./causal-convolution.js";
import type { CausalStep } from "./causal-step.js";
import type { Sublayer } from "./decoder.js";
import { linear } from "./projections.js";

interface ShortConvolution {
  readonly step: CausalStep;
  readonly width: number;
  /** The kernel's size: how many positions it reads, including the current one; at least 2. */
  readonly taps: number;
  /** Whether projections and convolution have biases. */
  readonly bias: boolean;
}

/**
 * A short depthwise convolution between two gates (https://arxiv.org/abs/2511.23404):
 *
 * ```
 *   b, c, v = in(x)      out(c · convolution(b · v))
 * ```
 */
export function shortConvolution(context: ModelContext, options: ShortConvolution): Sublayer {
  const { g } = context;
  const { step, width, taps, bias } = options;
  return (x, layer) => {
    const module = `${layer.module}.conv`;
    const gated = linear(context, x, { name: `${module}.in_proj`, inputs: width, outputs: 3 * width, bias });
    const [before, after, values] = g.split(gated, [width, width, width], 2);
    const convolved = causalConvolution(context, withoutPadding(g, g.mul(before!, values!), step), {
      name: `${module}.conv`,
      layer: layer.index,
      channels: width,
      taps,
      bias,
    });
    return linear(context, g.mul(after!, convolved), {
      name: `${module}.out_proj`,
      inputs: width,
      outputs: width,
      bias,
    });
  };
}
