import type { CacheState, GraphBuilder, Value } from "../../graph/index.js";
import { additiveMask } from "./additive-mask.js";
import type { AttentionShape } from "./attention.js";

/** The input of cross-attention, `[batch, heads, encoded, headDim]` each. */
interface Encoded {
  readonly key: Value;
  readonly value: Value;
}

/**
 * Keys and values of an encoder's output, for every layer of a decoder: the entry `encode` computes them, once per
 * sequence; the entry `decode` reads them in every step.
 */
export class EncodedCache {
  readonly #g: GraphBuilder;
  readonly #shape: AttentionShape;
  readonly #states: CacheState[] = [];

  /** @param shape of the decoder */
  constructor(g: GraphBuilder, shape: AttentionShape) {
    this.#g = g;
    this.#shape = shape;
  }

  /** Adds outputs of `encode`: for one layer, `[batch, heads, source, headDim]` each. */
  fill(layer: number, { key, value }: Encoded): void {
    const { heads, headDim } = this.#shape;
    for (const [part, present] of Object.entries({ key, value })) {
      const state: CacheState = {
        past: `encoded.${layer}.${part}`,
        present: `cross.${layer}.${part}`,
        axis: 2,
      };
      this.#states.push(state);
      this.#g.output(state.present, present, "float32", ["batch", heads, "source", headDim]);
    }
  }

  /**
   * Adds an input of `decode`: which of the encoder's rows are used. Returns the mask, float32
   * `[batch, 1, 1, encoded]`.
   */
  open(): Value {
    const g = this.#g;
    const positions = g.input("encoder_positions", "int64", ["batch", "encoded"]);
    g.cache({ positions: positions.name, filledBy: "encode", states: this.#states });
    const filled = g.unsqueeze(g.greaterOrEqual(positions, g.integer(0)), [1, 2]);
    return additiveMask(g, filled);
  }

  /** Adds inputs of `decode`: what {@link fill} returned for one layer. */
  read(layer: number): Encoded {
    const { heads, headDim } = this.#shape;
    const input = (part: string): Value =>
      this.#g.input(`encoded.${layer}.${part}`, "float32", ["batch", heads, "encoded", headDim]);
    return { key: input("key"), value: input("value") };
  }
}
