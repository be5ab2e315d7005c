import type { ConfigReader } from "../../checkpoint/index.js";
import type { GraphBuilder, Value } from "../../graph/index.js";
import type { ModelContext } from "../architecture.js";
import { embedding } from "../blocks/embedding.js";
import { positionsAfterPadding } from "../blocks/encoder-input.js";
import { closedFrequencies, halfOpenFrequencies, sinusoids } from "../blocks/sinusoids.js";
import type { Side } from "./side.js";

/** The inputs of position embeddings, int64 `[batch, tokens]` each. */
export interface Places {
  readonly inputIds: Value;
  /** Positions from 0. Called once, by embeddings that use them. */
  readonly positions: () => Value;
}

/** Position embeddings, `[batch, tokens, width]`. */
export type PlaceEmbedding = (places: Places, side: Side) => Value;

interface TableOptions {
  /** The prefix of tensor names. Default `model`. */
  readonly model?: string;
  /** The config's field with a side's number of positions. Default: `max_position_embeddings` for both. */
  readonly fieldOf?: (side: Side) => string;
}

/** From a table per side, in which the row of a position is its index plus `offset`. */
export function tabulatedPlaces(
  context: ModelContext,
  offset: number,
  { model = "model", fieldOf = () => "max_position_embeddings" }: TableOptions = {},
): PlaceEmbedding {
  const { g, config } = context;
  return ({ positions }, side) =>
    embedding(context, offset === 0 ? positions() : g.add(positions(), g.integer(offset)), {
      name: `${model}.${side}.embed_positions.weight`,
      rows: config.integer(fieldOf(side)) + offset,
      width: config.integer("d_model"),
    });
}

/** Sines and cosines of the position. */
export function sinusoidalPlaces({ g, config }: ModelContext): PlaceEmbedding {
  const width = config.integer("d_model");
  if (width % 2 !== 0) throw config.error(`expected an even "d_model", got ${width}`);
  return ({ positions }) => sinusoids(g, positions(), halfOpenFrequencies(width / 2));
}

/** Sines and cosines of the position, counted from the padding token's id + 1; padding has none. */
export function sinusoidsAfterPadding(context: ModelContext): PlaceEmbedding {
  const { g, config } = context;
  const width = config.integer("d_model", { min: 4 });
  if (width % 2 !== 0) throw config.error(`expected an even "d_model", got ${width}`);
  const padding = paddingOf(config);
  const frequencies = closedFrequencies(width / 2);
  return (places, side) => {
    const values = sinusoids(g, rowsAfterPadding(g, padding, places, side), frequencies);
    if (side === "decoder") return values;
    const isToken = g.cast(g.not(g.equal(places.inputIds, g.integer(padding))), "float32");
    return g.mul(values, g.unsqueeze(isToken, [2]));
  };
}

/** Like {@link sinusoidsAfterPadding}, from a table per side, in which padding has a row of zeros. */
export function tabulatedAfterPadding(context: ModelContext): PlaceEmbedding {
  const { g, config } = context;
  const padding = paddingOf(config);
  return (places, side) =>
    embedding(context, rowsAfterPadding(g, padding, places, side), {
      name: `model.${side}.embed_positions.weight`,
      rows: config.integer("max_position_embeddings") + padding + 1,
      width: config.integer("d_model"),
    });
}

function paddingOf(config: ConfigReader): number {
  return config.integer("pad_token_id", { min: 0, default: 1 });
}

/** A decoder's input has padding only after its tokens, so that no token's position depends on it. */
function rowsAfterPadding(
  g: GraphBuilder,
  padding: number,
  { inputIds, positions }: Places,
  side: Side,
): Value {
  return side === "decoder"
    ? g.add(positions(), g.integer(padding + 1))
    : positionsAfterPadding(g, inputIds, { paddingToken: padding, padding });
}
