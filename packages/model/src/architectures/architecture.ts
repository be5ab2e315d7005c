import type { ConfigReader } from "../checkpoint/index.js";
import type { GraphBuilder } from "../graph/index.js";
import type { Parameters } from "./parameters.js";

/** What an architecture has to work with. Blocks take it first. */
export interface ModelContext {
  readonly g: GraphBuilder;
  readonly config: ConfigReader;
  readonly parameters: Parameters;
}

/** One family of models: how a config and a checkpoint's tensors become a graph. */
export interface Architecture {
  /**
   * Writes inputs, nodes, caches and outputs into `context.g`.
   *
   * @throws RR_CONFIG for a config that makes no sense, or asks for what the graph would not compute;
   * RR_TENSOR for a parameter that is missing or misshaped.
   */
  build(context: ModelContext): void;
  /**
   * Most tokens of a sequence; undefined for no limit. Default: what the config calls its positions.
   */
  maxContext?(config: ConfigReader): number | undefined;
  /**
   * Most tokens of what an encoder–decoder's encoder reads, where the decoder's sequence may have another number.
   */
  maxSource?(config: ConfigReader): number;
  /** Tensors that checkpoints of this family carry and no graph needs: buffers that are computed instead. */
  readonly ignoredTensors?: readonly RegExp[];
}
