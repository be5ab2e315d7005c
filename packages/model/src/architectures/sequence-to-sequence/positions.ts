import type { Value } from "../../graph/index.js";
import type { ModelContext } from "../architecture.js";
import { embedding } from "../blocks/embedding.js";
import { halfOpenFrequencies, sinusoids } from "../blocks/sinusoids.js";
import type { Side } from "./side.js";

/** What tells where tokens stand, int64 `[batch, tokens]` each. */
export interface Places {
  readonly inputIds: Value;
  /** Counted from 0. Called once, by those who need them. */
  readonly positions: () => Value;
}

/** What is added to embeddings for their place, `[batch, tokens, width]`. */
export type PlaceEmbedding = (places: Places, side: Side) => Value;

/** From a table of each side's own, whose row of a position is `offset` further on. */
export function tabulatedPlaces(context: ModelContext, offset: number): PlaceEmbedding {
  const { g, config } = context;
  return ({ positions }, side) =>
    embedding(context, offset === 0 ? positions() : g.add(positions(), g.integer(offset)), {
      name: `model.${side}.embed_positions.weight`,
      rows: config.integer("max_position_embeddings") + offset,
      width: config.integer("d_model"),
    });
}

/** Sines and cosines of the position. */
export function sinusoidalPlaces({ g, config }: ModelContext): PlaceEmbedding {
  const width = config.integer("d_model");
  if (width % 2 !== 0) throw config.error(`expected an even "d_model", got ${width}`);
  return ({ positions }) => sinusoids(g, positions(), halfOpenFrequencies(width / 2));
}
