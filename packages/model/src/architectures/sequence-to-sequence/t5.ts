import { configLimits } from "../../checkpoint/index.js";
import { interfaceNames, type Value } from "../../graph/index.js";
import type { Architecture, ModelContext } from "../architecture.js";
import { activate } from "../blocks/activations.js";
import type { AttentionShape } from "../blocks/attention.js";
import { decoderStep } from "../blocks/causal-step.js";
import { DecoderAttention } from "../blocks/decoder-attention.js";
import { embedding } from "../blocks/embedding.js";
import { type AttentionModules, encoderSelfAttention } from "../blocks/encoder-attention.js";
import { attentionMaskOf, distancesOf, encoderInput } from "../blocks/encoder-input.js";
import { languageHead, selectRows } from "../blocks/language-head.js";
import { rmsNorm } from "../blocks/norms.js";
import { linear } from "../blocks/projections.js";
import { relativeBias, relativeBuckets } from "../blocks/relative-buckets.js";
import type { Side } from "./side.js";

/**
 * Pre-norm RMSNorm, no biases, unscaled scores, only relative positions; the feed-forward is gated in version 1.1 and
 * Flan. https://arxiv.org/abs/1910.10683
 */
export const t5 = t5Family({
  defaultFeedForward: "relu",
  tables: "first",
  scalesLogits: ({ config }, isFirst) => config.boolean("scale_decoder_outputs", { default: isFirst }),
});

/** The multilingual version 1.1. https://arxiv.org/abs/2010.11934 */
export const mt5 = t5Family({
  defaultFeedForward: "gated-gelu",
  tables: "first",
  scalesLogits: () => false,
});

/** mT5 with a table of relative positions in each layer. https://openreview.net/forum?id=kXwdL1cWOAi */
export const umt5 = t5Family({
  defaultFeedForward: "gated-gelu",
  tables: "each",
  scalesLogits: (_, isFirst) => isFirst,
});

/** What differs between versions of T5. */
interface T5Differences {
  /** `feed_forward_proj`, if the config does not say. */
  readonly defaultFeedForward: string;
  /** Which layers have a table of relative positions: the first, for all of them, or each its own. */
  readonly tables: "first" | "each";
  /** @param isFirst whether this is version 1.0, whose head is tied to the embedding */
  readonly scalesLogits: (context: ModelContext, isFirst: boolean) => boolean;
}

function t5Family(differences: T5Differences): Architecture {
  return {
    build(context) {
      const { g, config } = context;
      if (config.boolean("is_decoder", { default: false })) {
        throw config.error('"is_decoder" is set; expected an encoder with a decoder');
      }
      const model = new T5(context, differences);
      if (context.isHeadless) return void model.encode();
      const layer = (index: number) => `decoder.block.${index}.layer`;
      const attention = new DecoderAttention(context, {
        shape: shapeOf(context, "decoder"),
        own: (index) => modulesOf(`${layer(index)}.0.SelfAttention`),
        cross: (index) => modulesOf(`${layer(index)}.1.EncDecAttention`),
        bias: false,
        scale: unscaled,
        scoreBias: ({ keyPositions }, { positionIds }) =>
          model.relativeScores(
            "decoder",
            g.sub(g.unsqueeze(keyPositions, [1]), g.unsqueeze(positionIds, [2])),
          ),
      });
      g.entry("encode", () => attention.fill(model.encode()));
      g.entry("decode", () => model.decode(attention));
    },
    // Positions are relative: the `n_positions` of older configs is not a limit.
    maxContext: () => undefined,
    // A bias that has no effect.
    ignoredTensors: [/EncDecAttention\.relative_attention_bias\.weight$/],
  };
}

const unscaled = 1;

class T5 {
  readonly #context: ModelContext;
  readonly #differences: T5Differences;
  readonly #table;
  readonly #width: number;
  readonly #epsilon: number;

  constructor(context: ModelContext, differences: T5Differences) {
    const { config } = context;
    this.#context = context;
    this.#differences = differences;
    this.#width = config.integer("d_model");
    this.#epsilon = config.number("layer_norm_epsilon", { min: 0, default: 1e-6 });
    this.#table = { name: "shared.weight", rows: config.integer("vocab_size"), width: this.#width };
  }

  /** Adds the output `last_hidden_state`, `[batch, source, width]`, and returns it. */
  encode(): Value {
    const { g } = this.#context;
    const shape = shapeOf(this.#context, "encoder");
    const input = encoderInput(g, "source");
    const scores = this.relativeScores("encoder", g.unsqueeze(distancesOf(g, input), [0]));
    const mask = attentionMaskOf(g, input);
    let x = this.#embed("encoder", input.inputIds);
    for (let layer = 0; layer < shape.layers; layer++) {
      const prefix = `encoder.block.${layer}.layer`;
      const modules = modulesOf(`${prefix}.0.SelfAttention`);
      const biases = [scores(layer), mask];
      x = this.#sublayer(x, `${prefix}.0`, (x) =>
        encoderSelfAttention(this.#context, x, { modules, shape, bias: false, scale: unscaled, biases }),
      );
      x = this.#sublayer(x, `${prefix}.1`, (x) => this.#feedForward(x, `${prefix}.1.DenseReluDense`));
    }
    const hidden = this.#norm(x, "encoder.final_layer_norm");
    g.output(interfaceNames.lastHiddenState, hidden, "float32", ["batch", "source", this.#width]);
    return hidden;
  }

  decode(attention: DecoderAttention): void {
    const { g, config, parameters } = this.#context;
    const { scalesLogits } = this.#differences;
    const step = decoderStep(g);
    const { own, cross } = attention.open(step);
    let x = this.#embed("decoder", step.inputIds);
    for (let layer = 0; layer < shapeOf(this.#context, "decoder").layers; layer++) {
      const prefix = `decoder.block.${layer}.layer`;
      x = this.#sublayer(x, `${prefix}.0`, (x) => own(x, layer));
      x = this.#sublayer(x, `${prefix}.1`, (x) => cross(x, layer));
      x = this.#sublayer(x, `${prefix}.2`, (x) => this.#feedForward(x, `${prefix}.2.DenseReluDense`));
    }
    // Only false means version 1.1, whose logits are not scaled; null is the same as absent.
    const isFirst = config.optionalBoolean("tie_word_embeddings") ?? true;
    const head = "lm_head.weight";
    languageHead(this.#context, this.#norm(selectRows(g, x, this.#width), "decoder.final_layer_norm"), {
      table: this.#table,
      separate: head,
      // Checkpoints of either version may lack a head of their own.
      isTied: isFirst || parameters.lacks([head]),
      scale: scalesLogits(this.#context, isFirst) ? this.#width ** -0.5 : 1,
    });
  }

  /**
   * The relative position bias of a side, added to the scores of each layer.
   *
   * @param distances `key − query`, int64 `[batch or 1, queries, keys]`
   */
  relativeScores(side: Side, distances: Value): (layer: number) => Value {
    const { config } = this.#context;
    const buckets = config.integer("relative_attention_num_buckets", { min: 4, max: 2 ** 16, default: 32 });
    const bucketsOfDistances = relativeBuckets(this.#context, distances, {
      buckets,
      maxDistance: config.integer("relative_attention_max_distance", { max: 2 ** 20, default: 128 }),
      bidirectional: side === "encoder",
    });
    const scores = (layer: number): Value =>
      relativeBias(this.#context, bucketsOfDistances, {
        name: `${side}.block.${layer}.layer.0.SelfAttention.relative_attention_bias.weight`,
        rows: buckets,
        width: shapeOf(this.#context, side).heads,
      });
    if (this.#differences.tables === "each") return scores;
    const ofFirst = scores(0);
    return () => ofFirst;
  }

  #embed(side: Side, inputIds: Value): Value {
    const name = this.#context.parameters.tied(`${side}.embed_tokens.weight`, this.#table.name);
    return embedding(this.#context, inputIds, { ...this.#table, name });
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
    const [activation, isGated] = feedForwardKind(
      config.string("feed_forward_proj", { default: this.#differences.defaultFeedForward }),
    );
    const project = (x: Value, name: string, inputs: number, outputs: number): Value =>
      linear(this.#context, x, { name: `${prefix}.${name}`, inputs, outputs, bias: false });
    const widen = (name: string): Value => project(x, name, this.#width, inner);
    const hidden = isGated
      ? g.mul(activate(this.#context, activation, widen("wi_0")), widen("wi_1"))
      : activate(this.#context, activation, widen("wi"));
    return project(hidden, "wo", inner, this.#width);
  }
}

/** `relu`, `gated-gelu` and the like. `gated-gelu` means the tanh approximation. */
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
