import type { ConfigReader } from "../../checkpoint/index.js";
import type { Value } from "../../graph/index.js";
import type { Architecture, ModelContext } from "../architecture.js";
import { multiHeadShape } from "../blocks/attention.js";
import { type EmbeddingTable, embedding } from "../blocks/embedding.js";
import {
  attentionMaskOf,
  consecutivePositions,
  type EncoderInput,
  encoderInput,
} from "../blocks/encoder-input.js";
import { encoderLayer } from "../blocks/encoder-layer.js";
import { layerNorm } from "../blocks/norms.js";
import { type RotaryAngles, rotaryAngles, rotate } from "../blocks/rotary.js";
import { bertAttention, bertMaskedHead } from "./bert.js";
import { positionsBehindPadding, robertaHead, robertaPositions } from "./roberta.js";

/**
 * A language model of proteins: pre-norm, with rotary positions in ESM-2 (https://doi.org/10.1126/science.ade2574), and
 * RoBERTa's in ESM-1b (https://doi.org/10.1073/pnas.2016239118).
 */
export const esm: Architecture = {
  build(context) {
    refuseOthers(context);
    const { g, config } = context;
    const shape = multiHeadShape(config);
    const { width, headDim } = shape;
    const epsilon = config.number("layer_norm_eps", { min: 0, default: 1e-12 });
    const inner = config.integer("intermediate_size");
    const norm = (x: Value, name: string) => layerNorm(context, x, { name, width, epsilon });

    const input = encoderInput(g);
    const biases = [attentionMaskOf(g, input)];
    const isRotary = rotates(config);
    const angles = isRotary ? anglesOf(context, consecutivePositions(g, input), headDim) : undefined;
    const table = {
      name: "esm.embeddings.word_embeddings.weight",
      rows: config.integer("vocab_size"),
      width,
    };

    let x = embedTokens(context, input, table);
    if (!isRotary) {
      const rows = config.integer("max_position_embeddings");
      const places = { name: "esm.embeddings.position_embeddings.weight", rows, width };
      x = g.add(x, embedding(context, robertaPositions(context)(input), places));
    }
    if (config.boolean("emb_layer_norm_before", { default: false })) {
      x = norm(x, "esm.embeddings.layer_norm");
    }
    for (let layer = 0; layer < shape.layers; layer++) {
      const prefix = `esm.encoder.layer.${layer}`;
      x = encoderLayer(context, x, {
        modules: {
          attentionNorm: `${prefix}.attention.LayerNorm`,
          up: `${prefix}.intermediate.dense`,
          down: `${prefix}.output.dense`,
          feedForwardNorm: `${prefix}.LayerNorm`,
        },
        width,
        inner,
        activation: "gelu",
        epsilon,
        norms: "before",
        attention: (x) =>
          bertAttention(context, x, `${prefix}.attention`, {
            shape,
            biases,
            ...(angles && { rotate: (x) => rotate(g, x, angles) }),
          }),
      });
    }
    const hidden = norm(x, "esm.encoder.emb_layer_norm_after");
    bertMaskedHead(context, hidden, { table, width, head: robertaHead, epsilon });
  },
  maxContext: (config) =>
    rotates(config) ? config.optionalInteger("max_position_embeddings") : positionsBehindPadding(config),
  ignoredTensors: [
    /\.rotary_embeddings\.inv_freq$/,
    // The head that predicts contacts between residues from attention weights.
    /(^|\.)contact_head\./,
    /(^|\.)embeddings\.position_(ids|embeddings\.weight)$/,
  ],
};

function rotates(config: ConfigReader): boolean {
  const types = ["absolute", "rotary"] as const;
  return config.oneOf("position_embedding_type", types, { default: "absolute" }) === "rotary";
}

/** Uses the frequencies in the checkpoint if it has them; they are rounded to its data type. */
function anglesOf(context: ModelContext, positionIds: Value, headDim: number): RotaryAngles {
  const { g, parameters } = context;
  const stored = ["0", "*"]
    .map((layer) => `esm.encoder.layer.${layer}.${frequencies}`)
    .find((name) => parameters.has(name));
  if (stored === undefined) return rotaryAngles(context, positionIds, headDim);
  const positions = g.unsqueeze(g.cast(positionIds, "float32"), [2]);
  const angles = g.mul(positions, parameters.get(stored, [headDim / 2]));
  return { cos: g.cos(angles), sin: g.sin(angles), lanes: undefined, interleaved: false };
}

const frequencies = "attention.self.rotary_embeddings.inv_freq";

/** The share of tokens that were replaced by mask tokens in training: 80% of 15%. */
const maskedInTraining = 0.15 * 0.8;

/**
 * With `token_dropout`, the embeddings of mask tokens are zero, and the others are scaled so that their sum stays the
 * same as on average in training.
 */
function embedTokens(context: ModelContext, input: EncoderInput, table: EmbeddingTable): Value {
  const { g, config } = context;
  const x = embedding(context, input.inputIds, table);
  if (!config.boolean("token_dropout", { default: false })) return x;
  const maskToken = config.integer("mask_token_id", { min: 0 });
  const isMasked = g.equal(input.inputIds, g.integer(maskToken));
  const count = (tokens: Value): Value => g.reduceSum(g.cast(tokens, "float32"), [1]);
  const shown = g.sub(g.numbers([1]), g.div(count(isMasked), count(input.attentionMask)));
  const scale = g.where(isMasked, g.numbers([0]), g.div(g.numbers([1 - maskedInTraining]), shown));
  return g.mul(x, g.unsqueeze(scale, [2]));
}

function refuseOthers({ config }: ModelContext): void {
  for (const name of ["is_folding_model", "is_decoder", "add_cross_attention"]) {
    if (config.boolean(name, { default: false })) {
      throw config.error(`"${name}" is set, which this graph does not compute; expected false`);
    }
  }
}
