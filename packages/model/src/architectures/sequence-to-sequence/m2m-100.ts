import type { Value } from "../../graph/index.js";
import type { Architecture, ModelContext } from "../architecture.js";
import { positionsAfterPadding } from "../blocks/encoder-input.js";
import { closedFrequencies, sinusoids } from "../blocks/sinusoids.js";
import { bartIgnored, buildBart } from "./bart-frame.js";
import type { Places } from "./positions.js";
import type { Side } from "./side.js";

/**
 * BART with norms before each sublayer and sinusoidal positions that padding has none of.
 * https://arxiv.org/abs/2010.11125
 */
export const m2m100: Architecture = {
  build: (context) =>
    buildBart(context, {
      places: (places, side) => sinusoidsAfterPadding(context, places, side),
      norms: "before",
      embeddingNorm: false,
      logitsBias: false,
      scaledByDefault: true,
      defaultActivation: "relu",
    }),
  ignoredTensors: bartIgnored,
};

function sinusoidsAfterPadding(
  { g, config }: ModelContext,
  { inputIds, positions }: Places,
  side: Side,
): Value {
  const width = config.integer("d_model", { min: 4 });
  if (width % 2 !== 0) throw config.error(`expected an even "d_model", got ${width}`);
  const padding = config.integer("pad_token_id", { min: 0, default: 1 });
  const frequencies = closedFrequencies(width / 2);
  if (side === "decoder") return sinusoids(g, g.add(positions(), g.integer(padding + 1)), frequencies);
  const ids = positionsAfterPadding(g, inputIds, { paddingToken: padding, padding });
  const isToken = g.cast(g.not(g.equal(inputIds, g.integer(padding))), "float32");
  return g.mul(sinusoids(g, ids, frequencies), g.unsqueeze(isToken, [2]));
}
