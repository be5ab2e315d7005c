import type { Value } from "../../graph/index.js";
import type { ModelContext } from "../architecture.js";
import type { CausalStep } from "../blocks/causal-step.js";
import { embedding } from "../blocks/embedding.js";

/** Positions count from here: fairseq kept the numbers below for padding. */
const firstPosition = 2;

/** Rows of a learned table: `[batch, sequence, width]`. */
export function learnedPositions(
  context: ModelContext,
  name: string,
): (step: CausalStep, width: number) => Value {
  const { g, config } = context;
  const rows = config.integer("max_position_embeddings") + firstPosition;
  return ({ positionIds }, width) =>
    embedding(context, g.add(positionIds, g.integer(firstPosition)), { name, rows, width });
}

/**
 * `(sin | cos)` of the position times width/2 frequencies, from 1 down to 1/10000 in a geometric series
 * (https://arxiv.org/abs/1706.03762, with the halves apart): `[batch, sequence, width]`.
 *
 * @throws RR_CONFIG for a width that is odd, or too small for a series.
 */
export function sinusoidalPositions({ g, config }: ModelContext): (step: CausalStep, width: number) => Value {
  return ({ positionIds }, width) => {
    if (width % 2 !== 0 || width < 4) {
      throw config.error(`sinusoidal positions need an even width of 4 or more, got ${width}`);
    }
    const half = width / 2;
    const frequencies = Array.from({ length: half }, (_, i) => 10_000 ** (-i / (half - 1)));
    const shifted = g.cast(g.add(positionIds, g.integer(firstPosition)), "float32");
    const angles = g.mul(g.unsqueeze(shifted, [2]), g.numbers(frequencies, [half]));
    return g.concat([g.sin(angles), g.cos(angles)], 2);
  };
}
