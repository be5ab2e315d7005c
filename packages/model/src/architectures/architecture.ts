import type { ConfigReader } from "../checkpoint/index.js";
import type { GraphBuilder } from "../graph/index.js";
import type { Parameters } from "./parameters.js";

/** What an architecture works with. Blocks take it as their first argument. */
export interface ModelContext {
  readonly g: GraphBuilder;
  readonly config: ConfigReader;
  readonly parameters: Parameters;
  /**
   * Whether the graph has the model's last hidden state instead of what its head makes of that, because texts are
   * embedded with it: a decoder's logits and those of masked language modelling are then not computed, and an
   * encoder's decoder may be left out.
   */
  readonly isHeadless: boolean;
}

/** One family of models: how a config and a checkpoint's tensors become a graph. */
export interface Architecture {
  /**
   * Writes inputs, nodes, caches and outputs into `context.g`.
   *
   * @throws RR_CONFIG for a config that makes no sense, or asks for something that the graph would not compute;
   * RR_TENSOR for a parameter that is missing or has the wrong shape
   */
  build(context: ModelContext): void;
  /** The most tokens of a sequence; undefined for no limit. Default: the config's number of positions. */
  maxContext?(config: ConfigReader): number | undefined;
  /**
   * The most tokens that an encoder–decoder's encoder reads, if that differs from the limit of the decoder's sequence.
   */
  maxSource?(config: ConfigReader): number;
  /** Tensors that checkpoints of this family contain and no graph needs: buffers that are computed instead. */
  readonly ignoredTensors?: readonly RegExp[];
}
