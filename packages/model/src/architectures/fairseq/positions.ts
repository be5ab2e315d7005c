import type { Value } from "../../graph/index.js";
import type { ModelContext } from "../architecture.js";
import type { CausalStep } from "../blocks/causal-step.js";
import { embedding } from "../blocks/embedding.js";
import { closedFrequencies, sinusoids } from "../blocks/sinusoids.js";

/** The first position; fairseq reserves the numbers below for padding. */
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
 * Sines and cosines of the position: `[batch, sequence, width]`.
 *
 * @throws RR_CONFIG for a width that is odd, or too small for a series of frequencies
 */
export function sinusoidalPositions({ g, config }: ModelContext): (step: CausalStep, width: number) => Value {
  return ({ positionIds }, width) => {
    if (width % 2 !== 0 || width < 4) {
      throw config.error(`sinusoidal positions need an even width of 4 or more, got ${width}`);
    }
    return sinusoids(g, g.add(positionIds, g.integer(firstPosition)), closedFrequencies(width / 2));
  };
}
