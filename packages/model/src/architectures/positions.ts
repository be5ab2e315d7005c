import type { ConfigReader } from "../checkpoint/index.js";

/** The number of positions that a config gives, under any of the names that families have for it. */
export function positionsOf(config: ConfigReader): number | undefined {
  return config.optionalInteger(["max_position_embeddings", "n_positions", "n_ctx", "max_seq_len"]);
}
