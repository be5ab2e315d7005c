import type { Value } from "../../graph/index.js";
import type { ModelContext } from "../architecture.js";
import { CausalRows } from "./causal-cache.js";
import type { CausalStep } from "./causal-step.js";
import type { Sublayer } from "./decoder.js";
import { linear } from "./projections.js";

interface ShortConvolution {
  readonly step: CausalStep;
  readonly width: number;
  /** How many positions it reads, its own included; at least 2. */
  readonly taps: number;
  /** On projections and convolution. */
  readonly bias: boolean;
}

/**
 * A convolution over a few positions, lane by lane, between two gates (https://arxiv.org/abs/2511.23404):
 *
 * ```
 *   b, c, v = in(x)      r = b · v      out(c · Σ k[d] · r[position − d])
 * ```
 *
 * The cache keeps r of as many positions as the kernel reaches, in any order: rows are found by where they stand, with
 * a product by a matrix that has a 1 for each.
 */
export function shortConvolution(context: ModelContext, options: ShortConvolution): Sublayer {
  const { g, parameters } = context;
  const { step, width, taps, bias } = options;
  const open = () => {
    const cache = new CausalRows(g, step, { window: taps });
    const earlier = Array.from({ length: taps - 1 }, (_, index) => cache.atDistance(index + 1));
    return { cache, earlier };
  };
  // With the first layer that needs it, of which there may be none.
  let opened: ReturnType<typeof open> | undefined;

  return (x, layer) => {
    opened ??= open();
    const { cache, earlier } = opened;
    const module = `${layer.module}.conv`;
    const gated = linear(context, x, { name: `${module}.in_proj`, inputs: width, outputs: 3 * width, bias });
    const [before, after, values] = g.split(gated, [width, width, width], 2);
    const present = g.unsqueeze(g.mul(before!, values!), [1]);
    const kept = cache.append(`${layer.index}.rows`, present, 1, width);
    const rows = g.concat([kept.past, present], 2);
    const stored = g.reshape(parameters.get(`${module}.conv.weight`, [width, 1, taps]), [width, taps]);
    // As torch has it, the last tap is the position itself.
    const kernel = g.split(g.transpose(stored, [1, 0]), Array<number>(taps).fill(1), 0).toReversed();
    const reached: readonly Value[] = [present, ...earlier.map((matrix) => g.matmul(matrix, rows))];
    const sum = reached.map((row, distance) => g.mul(row, kernel[distance]!)).reduce((a, b) => g.add(a, b));
    const convolved = g.squeeze(sum, [1]);
    const shifted = bias ? g.add(convolved, parameters.get(`${module}.conv.bias`, [width])) : convolved;
    return linear(context, g.mul(after!, shifted), {
      name: `${module}.out_proj`,
      inputs: width,
      outputs: width,
      bias,
    });
  };
}
