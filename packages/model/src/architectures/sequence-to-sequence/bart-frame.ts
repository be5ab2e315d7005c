import { interfaceNames, type Value } from "../../graph/index.js";
import type { ModelContext } from "../architecture.js";
import { attention } from "../blocks/attention.js";
import { CausalCaches } from "../blocks/causal-cache.js";
import { decoderStep } from "../blocks/causal-step.js";
import { embedding } from "../blocks/embedding.js";
import { EncodedCache } from "../blocks/encoded-cache.js";
import {
  type AttentionModules,
  attend,
  encoderSelfAttention,
  mergeHeads,
  projectHeads,
} from "../blocks/encoder-attention.js";
import { attentionMaskOf, consecutivePositions, encoderInput } from "../blocks/encoder-input.js";
import { feedForward } from "../blocks/feed-forward.js";
import { languageHead, selectRows } from "../blocks/language-head.js";
import { layerNorm } from "../blocks/norms.js";
import { linear } from "../blocks/projections.js";
import type { PlaceEmbedding, Places } from "./positions.js";
import { type Side, shapeOfSide } from "./side.js";

/** Where families of the same graph differ. */
export interface BartDifferences {
  readonly places: PlaceEmbedding;
  /** Whether each sublayer is normed before, with one more norm behind the last layer, or after its residual. */
  readonly norms: "before" | "after";
  /** Whether the embeddings are normed. */
  readonly embeddingNorm: boolean;
  /** Whether logits have a bias. Default true. */
  readonly logitsBias?: boolean;
}

/** Copies of what is tied, buffers that are computed, and positions that are. */
export const bartIgnored: readonly RegExp[] = [
  /(^|\.)(encoder|decoder)\.embed_tokens\.weight$/,
  /(^|\.)embed_positions\.weights?$/,
  /(^|\.)version$/,
];

/** An encoder, and a decoder that attends to its output; one table of words for both and for the head. */
export function buildBart(context: ModelContext, differences: BartDifferences): void {
  const { g, config } = context;
  const encoded = new EncodedCache(g, shapeOfSide(config, "decoder"));
  const bart = new Bart(context, differences);
  g.entry("encode", () => bart.encode(encoded));
  g.entry("decode", () => bart.decode(encoded));
}

class Bart {
  readonly #context: ModelContext;
  readonly #differences: BartDifferences;
  readonly #table;
  readonly #width: number;

  constructor(context: ModelContext, differences: BartDifferences) {
    const { config } = context;
    this.#context = context;
    this.#differences = differences;
    this.#width = config.integer("d_model");
    this.#table = { name: "model.shared.weight", rows: config.integer("vocab_size"), width: this.#width };
  }

  encode(encoded: EncodedCache): void {
    const { g, config } = this.#context;
    const shape = shapeOfSide(config, "encoder");
    const input = encoderInput(g, "source");
    const biases = [attentionMaskOf(g, input)];
    let x = this.#embed("encoder", {
      inputIds: input.inputIds,
      positions: consecutivePositions(g, input),
    });
    for (let layer = 0; layer < shape.layers; layer++) {
      const prefix = `model.encoder.layers.${layer}`;
      x = this.#sublayer(x, `${prefix}.self_attn_layer_norm`, (x) =>
        encoderSelfAttention(this.#context, x, { modules: modulesOf(`${prefix}.self_attn`), shape, biases }),
      );
      x = this.#feedForward(x, "encoder", prefix);
    }
    const hidden = this.#lastNorm(x, "encoder");
    g.output(interfaceNames.lastHiddenState, hidden, "float32", ["batch", "source", this.#width]);
    this.#fill(encoded, hidden);
  }

  /** Keys and values of the decoder's cross-attention, which no step of it changes. */
  #fill(encoded: EncodedCache, hidden: Value): void {
    const shape = shapeOfSide(this.#context.config, "decoder");
    for (let layer = 0; layer < shape.layers; layer++) {
      const { key, value } = modulesOf(`model.decoder.layers.${layer}.encoder_attn`);
      const project = (name: string) => projectHeads(this.#context, hidden, { name, shape, bias: true });
      encoded.fill(layer, { key: project(key), value: project(value) });
    }
  }

  decode(encoded: EncodedCache): void {
    const { g, config } = this.#context;
    const shape = shapeOfSide(config, "decoder");
    const step = decoderStep(g);
    const cache = new CausalCaches(g, step).get();
    const mask = encoded.open();
    let x = this.#embed("decoder", { inputIds: step.inputIds, positions: step.positionIds });
    for (let layer = 0; layer < shape.layers; layer++) {
      const prefix = `model.decoder.layers.${layer}`;
      const own = modulesOf(`${prefix}.self_attn`);
      const cross = modulesOf(`${prefix}.encoder_attn`);
      const project = (x: Value, name: string) => projectHeads(this.#context, x, { name, shape, bias: true });
      const merge = (x: Value, name: string) => mergeHeads(this.#context, x, { name, shape, bias: true });

      x = this.#sublayer(x, `${prefix}.self_attn_layer_norm`, (x) => {
        const [query, key, value] = [project(x, own.query), project(x, own.key), project(x, own.value)];
        return merge(attention(g, { query, key, value, layer, cache, shape }), own.output);
      });
      const { key, value } = encoded.read(layer);
      x = this.#sublayer(x, `${prefix}.encoder_attn_layer_norm`, (x) => {
        const query = project(x, cross.query);
        return merge(attend(g, { query, key, value, shape, biases: [mask] }), cross.output);
      });
      x = this.#feedForward(x, "decoder", prefix);
    }
    languageHead(this.#context, this.#lastNorm(selectRows(g, x, step, this.#width), "decoder"), {
      table: this.#table,
      separate: "lm_head.weight",
      tiedByDefault: true,
      ...((this.#differences.logitsBias ?? true) && {
        bias: "final_logits_bias",
        biasDims: [1, this.#table.rows],
      }),
    });
  }

  #embed(side: Side, places: Places): Value {
    const { g, config } = this.#context;
    const words = embedding(this.#context, places.inputIds, this.#table);
    const isScaled = config.boolean("scale_embedding", { default: false });
    const scaled = isScaled ? g.mul(words, g.numbers([Math.sqrt(this.#width)])) : words;
    const x = g.add(scaled, this.#differences.places(places, side));
    return this.#differences.embeddingNorm ? this.#norm(x, `model.${side}.layernorm_embedding`) : x;
  }

  #sublayer(x: Value, norm: string, run: (x: Value) => Value): Value {
    const { g } = this.#context;
    return this.#differences.norms === "before"
      ? g.add(x, run(this.#norm(x, norm)))
      : this.#norm(g.add(x, run(x)), norm);
  }

  #feedForward(x: Value, side: Side, prefix: string): Value {
    const { config } = this.#context;
    return this.#sublayer(x, `${prefix}.final_layer_norm`, (x) =>
      feedForward(this.#context, x, {
        project: linear,
        up: `${prefix}.fc1`,
        down: `${prefix}.fc2`,
        width: this.#width,
        inner: config.integer(`${side}_ffn_dim`),
        activation: config.string("activation_function", { default: "gelu" }),
      }),
    );
  }

  #lastNorm(x: Value, side: Side): Value {
    return this.#differences.norms === "before" ? this.#norm(x, `model.${side}.layer_norm`) : x;
  }

  #norm(x: Value, name: string): Value {
    return layerNorm(this.#context, x, { name, width: this.#width, epsilon: 1e-5 });
  }
}

function modulesOf(prefix: string): AttentionModules {
  return {
    query: `${prefix}.q_proj`,
    key: `${prefix}.k_proj`,
    value: `${prefix}.v_proj`,
    output: `${prefix}.out_proj`,
  };
}
