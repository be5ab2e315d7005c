import { configLimits } from "../../checkpoint/index.js";
import { interfaceNames, type Value } from "../../graph/index.js";
import type { Architecture, ModelContext } from "../architecture.js";
import { activate } from "../blocks/activations.js";
import { type AttentionShape, attention } from "../blocks/attention.js";
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
import { attentionMaskOf, distancesOf, encoderInput } from "../blocks/encoder-input.js";
import { languageHead, selectRows } from "../blocks/language-head.js";
import { rmsNorm } from "../blocks/norms.js";
import { linear } from "../blocks/projections.js";
import { relativeBias } from "../blocks/relative-buckets.js";
import type { Side } from "./side.js";

/**
 * RMSNorm before each sublayer, no biases, scores that are not scaled, relative positions alone; the feed-forward is
 * gated in version 1.1 and Flan. https://arxiv.org/abs/1910.10683
 */
export const t5: Architecture = {
  build(context) {
    const { g, config } = context;
    const model = new T5(context);
    const encoded = new EncodedCache(g, shapeOf(context, "decoder"));
    if (config.boolean("is_decoder", { default: false })) {
      throw config.error('"is_decoder" is set; expected an encoder with a decoder');
    }
    g.entry("encode", () => model.encode(encoded));
    g.entry("decode", () => model.decode(encoded));
  },
  ignoredTensors: [
    // Copies of what is tied, and a bias that was never used.
    /^(encoder|decoder)\.embed_tokens\.weight$/,
    /EncDecAttention\.relative_attention_bias\.weight$/,
  ],
};

const unscaled = 1;

class T5 {
  readonly #context: ModelContext;
  readonly #table;
  readonly #width: number;
  readonly #epsilon: number;

  constructor(context: ModelContext) {
    const { config } = context;
    this.#context = context;
    this.#width = config.integer("d_model");
    this.#epsilon = config.number("layer_norm_epsilon", { min: 0, default: 1e-6 });
    this.#table = { name: "shared.weight", rows: config.integer("vocab_size"), width: this.#width };
  }

  encode(encoded: EncodedCache): void {
    const { g } = this.#context;
    const shape = shapeOf(this.#context, "encoder");
    const input = encoderInput(g, "source");
    const distances = g.unsqueeze(distancesOf(g, input), [0]);
    const biases = [this.#relativeBias("encoder", distances, shape), attentionMaskOf(g, input)];
    let x = embedding(this.#context, input.inputIds, this.#table);
    for (let layer = 0; layer < shape.layers; layer++) {
      const prefix = `encoder.block.${layer}.layer`;
      const modules = modulesOf(`${prefix}.0.SelfAttention`);
      x = this.#sublayer(x, `${prefix}.0`, (x) =>
        encoderSelfAttention(this.#context, x, { modules, shape, bias: false, scale: unscaled, biases }),
      );
      x = this.#sublayer(x, `${prefix}.1`, (x) => this.#feedForward(x, `${prefix}.1.DenseReluDense`));
    }
    const hidden = this.#norm(x, "encoder.final_layer_norm");
    g.output(interfaceNames.lastHiddenState, hidden, "float32", ["batch", "source", this.#width]);
    this.#fill(encoded, hidden);
  }

  /** Keys and values of the decoder's cross-attention, which no step of it changes. */
  #fill(encoded: EncodedCache, hidden: Value): void {
    const shape = shapeOf(this.#context, "decoder");
    for (let layer = 0; layer < shape.layers; layer++) {
      const { key, value } = modulesOf(`decoder.block.${layer}.layer.1.EncDecAttention`);
      const project = (name: string) => projectHeads(this.#context, hidden, { name, shape, bias: false });
      encoded.fill(layer, { key: project(key), value: project(value) });
    }
  }

  decode(encoded: EncodedCache): void {
    const { g, config } = this.#context;
    const shape = shapeOf(this.#context, "decoder");
    const step = decoderStep(g);
    const cache = new CausalCaches(g, step).get();
    const mask = encoded.open();
    const distances = g.sub(g.unsqueeze(cache.keyPositions, [1]), g.unsqueeze(step.positionIds, [2]));
    const biases = [this.#relativeBias("decoder", distances, shape)];
    let x = embedding(this.#context, step.inputIds, this.#table);
    for (let layer = 0; layer < shape.layers; layer++) {
      const prefix = `decoder.block.${layer}.layer`;
      const own = modulesOf(`${prefix}.0.SelfAttention`);
      const cross = modulesOf(`${prefix}.1.EncDecAttention`);
      const project = (x: Value, name: string) =>
        projectHeads(this.#context, x, { name, shape, bias: false });
      const merge = (x: Value, name: string) => mergeHeads(this.#context, x, { name, shape, bias: false });

      x = this.#sublayer(x, `${prefix}.0`, (x) => {
        const [query, key, value] = [project(x, own.query), project(x, own.key), project(x, own.value)];
        const mixed = attention(g, { query, key, value, layer, cache, shape, scale: unscaled, biases });
        return merge(mixed, own.output);
      });
      const { key, value } = encoded.read(layer);
      x = this.#sublayer(x, `${prefix}.1`, (x) => {
        const query = project(x, cross.query);
        return merge(attend(g, { query, key, value, shape, scale: unscaled, biases: [mask] }), cross.output);
      });
      x = this.#sublayer(x, `${prefix}.2`, (x) => this.#feedForward(x, `${prefix}.2.DenseReluDense`));
    }
    const isTied = config.boolean("tie_word_embeddings", { default: true });
    languageHead(this.#context, this.#norm(selectRows(g, x, step, this.#width), "decoder.final_layer_norm"), {
      table: this.#table,
      separate: "lm_head.weight",
      tiedByDefault: true,
      scale: config.boolean("scale_decoder_outputs", { default: isTied }) ? this.#width ** -0.5 : 1,
    });
  }

  #relativeBias(side: Side, distances: Value, { heads }: AttentionShape): Value {
    const { config } = this.#context;
    const buckets = config.integer("relative_attention_num_buckets", { min: 4, max: 2 ** 16, default: 32 });
    return relativeBias(
      this.#context,
      distances,
      {
        name: `${side}.block.0.layer.0.SelfAttention.relative_attention_bias.weight`,
        rows: buckets,
        width: heads,
      },
      {
        buckets,
        maxDistance: config.integer("relative_attention_max_distance", { max: 2 ** 20, default: 128 }),
        bidirectional: side === "encoder",
      },
    );
  }

  #sublayer(x: Value, prefix: string, run: (x: Value) => Value): Value {
    return this.#context.g.add(x, run(this.#norm(x, `${prefix}.layer_norm`)));
  }

  #norm(x: Value, name: string): Value {
    return rmsNorm(this.#context, x, { name, width: this.#width, epsilon: this.#epsilon });
  }

  /** `wo(act(wi(x)))`, or gated `wo(act(wi_0(x)) · wi_1(x))`. */
  #feedForward(x: Value, prefix: string): Value {
    const { g, config } = this.#context;
    const inner = config.integer("d_ff");
    const [activation, isGated] = feedForwardKind(config.string("feed_forward_proj", { default: "relu" }));
    const project = (x: Value, name: string, inputs: number, outputs: number): Value =>
      linear(this.#context, x, { name: `${prefix}.${name}`, inputs, outputs, bias: false });
    const widen = (name: string): Value => project(x, name, this.#width, inner);
    const hidden = isGated
      ? g.mul(activate(this.#context, activation, widen("wi_0")), widen("wi_1"))
      : activate(this.#context, activation, widen("wi"));
    return project(hidden, "wo", inner, this.#width);
  }
}

/** `relu`, `gated-gelu` and the like. The gated one that says gelu means its approximation. */
function feedForwardKind(projection: string): [activation: string, isGated: boolean] {
  if (projection === "gated-gelu") return ["gelu_new", true];
  return [projection.replace(/^gated-/, ""), projection.startsWith("gated-")];
}

function shapeOf({ config }: ModelContext, side: Side): AttentionShape {
  const encoderLayers = config.integer("num_layers", { max: configLimits.layers });
  const heads = config.integer("num_heads", { max: 2 ** 16 });
  return {
    layers:
      side === "encoder"
        ? encoderLayers
        : config.integer("num_decoder_layers", { max: configLimits.layers, default: encoderLayers }),
    width: config.integer("d_model"),
    heads,
    keyValueHeads: heads,
    headDim: config.integer("d_kv", { max: 2 ** 16 }),
  };
}

function modulesOf(prefix: string): AttentionModules {
  return { query: `${prefix}.q`, key: `${prefix}.k`, value: `${prefix}.v`, output: `${prefix}.o` };
}
