import type { CacheState, GraphBuilder, Value } from "../../graph/index.js";
import { additiveMask } from "./additive-mask.js";
import type { AttentionShape } from "./attention.js";

/** What cross-attention sees, `[batch, heads, encoded, headDim]` each. */
interface Encoded {
  readonly key: Value;
  readonly value: Value;
}

/**
 * Keys and values of an encoder's output, of every layer of a decoder: the entry `encode` makes them, once for a
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

  /** Makes outputs of `encode`: of one layer, `[batch, heads, source, headDim]` each. */
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

  /** An input of `decode`: which of the encoder's rows there are. The mask, float32 `[batch, 1, 1, encoded]`. */
  open(): Value {
    const g = this.#g;
    const positions = g.input("encoder_positions", "int64", ["batch", "encoded"]);
    g.cache({ positions: positions.name, filledBy: "encode", states: this.#states });
    const filled = g.unsqueeze(g.greaterOrEqual(positions, g.integer(0)), [1, 2]);
    return additiveMask(g, filled);
  }

  /** Inputs of `decode`: what {@link fill} made of one layer. */
  read(layer: number): Encoded {
    const { heads, headDim } = this.#shape;
    const input = (part: string): Value =>
      this.#g.input(`encoded.${layer}.${part}`, "float32", ["batch", heads, "encoded", headDim]);
    return { key: input("key"), value: input("value") };
  }
}
