import type { Value } from "../../graph/index.js";
import type { ModelContext } from "../architecture.js";
import { type AttentionShape, attention } from "./attention.js";
import { type CausalCache, CausalCaches } from "./causal-cache.js";
import type { CausalStep } from "./causal-step.js";
import { EncodedCache } from "./encoded-cache.js";
import { type AttentionModules, attend, mergeHeads, projectHeads } from "./encoder-attention.js";
import type { Prompt } from "./prompt.js";

interface DecoderAttentionOptions {
  readonly shape: AttentionShape;
  /** Module names in a layer: `own` for self-attention, `cross` for attention to the encoder's output. */
  readonly own: (layer: number) => AttentionModules;
  readonly cross: (layer: number) => AttentionModules;
  /** Of all projections. Default true. */
  readonly bias?: boolean;
  /** Of the scores. Default `1 / √headDim`. */
  readonly scale?: number;
  /** Added to the scores of self-attention, by layer. Default: nothing. */
  readonly scoreBias?: (cache: CausalCache, step: CausalStep) => (layer: number) => Value;
  /** Keys and values that every query sees, too, by layer. Called once in the entry `decode`. Default: none. */
  readonly prompts?: () => Readonly<Record<"own" | "cross", (layer: number) => Prompt>>;
}

/** `[batch, sequence, width]` to the same. */
type LayerAttention = (x: Value, layer: number) => Value;

/** Self-attention and cross-attention of a decoder that reads an encoder's output. */
export class DecoderAttention {
  readonly #context: ModelContext;
  readonly #options: DecoderAttentionOptions;
  readonly #encoded: EncodedCache;

  constructor(context: ModelContext, options: DecoderAttentionOptions) {
    this.#context = context;
    this.#options = options;
    this.#encoded = new EncodedCache(context.g, options.shape);
  }

  /**
   * In the entry `encode`: computes every layer's keys and values for cross-attention, which stay the same in all steps
   * of the decoder.
   *
   * @param hidden the encoder's output, `[batch, source, width]`
   */
  fill(hidden: Value): void {
    const { shape, cross } = this.#options;
    for (let layer = 0; layer < shape.layers; layer++) {
      const { key, value } = cross(layer);
      this.#encoded.fill(layer, { key: this.#project(hidden, key), value: this.#project(hidden, value) });
    }
  }

  /** In the entry `decode`. */
  open(step: CausalStep): { readonly own: LayerAttention; readonly cross: LayerAttention } {
    const { g } = this.#context;
    const { shape, scale, scoreBias } = this.#options;
    const cache = new CausalCaches(g, step).get();
    const mask = this.#encoded.open();
    const biasOf = scoreBias?.(cache, step);
    const prompts = this.#options.prompts?.();
    return {
      own: (x, layer) => {
        const modules = this.#options.own(layer);
        const [query, key, value] = [modules.query, modules.key, modules.value].map((name) =>
          this.#project(x, name),
        );
        const mixed = attention(g, {
          query: query!,
          key: key!,
          value: value!,
          layer,
          cache,
          shape,
          scale,
          prompt: prompts?.own(layer),
          ...(biasOf === undefined ? {} : { biases: [biasOf(layer)] }),
        });
        return this.#merge(mixed, modules.output);
      },
      cross: (x, layer) => {
        const modules = this.#options.cross(layer);
        const query = this.#project(x, modules.query);
        const { key, value } = this.#encoded.read(layer);
        const prompt = prompts?.cross(layer);
        const mixed = attend(g, { query, key, value, shape, scale, biases: [mask], prompt });
        return this.#merge(mixed, modules.output);
      },
    };
  }

  #project(x: Value, name: string): Value {
    const { shape, bias = true } = this.#options;
    return projectHeads(this.#context, x, { name, shape, bias });
  }

  #merge(x: Value, name: string): Value {
    const { shape, bias = true } = this.#options;
    return mergeHeads(this.#context, x, { name, shape, bias });
  }
}
