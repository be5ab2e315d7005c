import type { Value } from "../../graph/index.js";
import type { Architecture, ModelContext } from "../architecture.js";
import { type AttentionShape, joinHeads, multiHeadShape, separateHeads } from "../blocks/attention.js";
import { embedding } from "../blocks/embedding.js";
import { attentionMaskOf, type EncoderInput, encoderInput } from "../blocks/encoder-input.js";
import { encoderLayer } from "../blocks/encoder-layer.js";
import { maskedHead } from "../blocks/masked-head.js";
import { relativeShift } from "../blocks/relative-shift.js";
import { halfOpenFrequencies, sinusoids } from "../blocks/sinusoids.js";

/**
 * XLNet as a bidirectional encoder, without permutations or a memory of earlier rows. Scores depend on content and on
 * relative distance. https://arxiv.org/abs/1906.08237
 */
export const xlnet: Architecture = {
  build(context) {
    refuseOthers(context);
    const { g, config } = context;
    const shape = multiHeadShape(config);
    const { width } = shape;
    const epsilon = config.number("layer_norm_eps", { min: 0, default: 1e-12 });
    const inner = config.integer("d_inner");
    const activation = config.string("ff_activation", { default: "gelu" });

    const input = encoderInput(g);
    const attention = relativeAttention(context, input, shape);
    const table = { name: "transformer.word_embedding.weight", rows: config.integer("vocab_size"), width };
    let x = embedding(context, input.inputIds, table);
    for (let layer = 0; layer < shape.layers; layer++) {
      const prefix = `transformer.layer.${layer}`;
      x = encoderLayer(context, x, {
        modules: {
          attentionNorm: `${prefix}.rel_attn.layer_norm`,
          up: `${prefix}.ff.layer_1`,
          down: `${prefix}.ff.layer_2`,
          feedForwardNorm: `${prefix}.ff.layer_norm`,
        },
        width,
        inner,
        activation,
        epsilon,
        attention: (x) => attention(x, `${prefix}.rel_attn`),
      });
    }
    maskedHead(context, x, { table, width, separate: "lm_loss.weight", bias: "lm_loss.bias" });
  },
  ignoredTensors: [
    // The embedding of a token to predict, used in pre-training.
    /(^|\.)mask_emb$/,
    // Segment embeddings: here a row is one segment, so they have no effect.
    /\.rel_attn\.(seg_embed|r_s_bias)$/,
  ],
};

function refuseOthers({ config }: ModelContext): void {
  if (config.string("attn_type", { default: "bi" }) !== "bi") {
    throw config.error('expected "attn_type" to be bi');
  }
  if (config.boolean("bi_data", { default: false })) {
    throw config.error('"bi_data" is set; expected false');
  }
}

/**
 * Scores depend on content and on distance. Learned biases u and v replace the query's absolute position
 * (https://arxiv.org/abs/1901.02860, section 3.3):
 *
 *     (q(i) + u)·k(j) + (q(i) + v)·r(i − j)
 */
function relativeAttention(context: ModelContext, input: EncoderInput, shape: AttentionShape) {
  const { g, config, parameters } = context;
  const { width, heads, headDim } = shape;
  const lanes = heads * headDim;
  const length = g.shape(input.inputIds, 1, 2);
  const mask = attentionMaskOf(g, input);
  if (width % 2 !== 0) throw config.error(`expected an even width, got ${width}`);
  const n = g.squeeze(length, [0]);
  // Distances `query − key`, from n down to 1 − n.
  const falling = g.unsqueeze(g.sub(n, g.range(g.add(n, n))), [0]);
  const bound = config.integer("clamp_len", { min: -1, default: -1 });
  const clamped = bound > 0 ? g.clip(falling, g.integer(-bound), g.integer(bound)) : falling;
  const distances = sinusoids(g, clamped, halfOpenFrequencies(width / 2));
  const scale = 1 / Math.sqrt(headDim);

  return (x: Value, prefix: string): Value => {
    const weight = (name: string): Value =>
      g.reshape(parameters.get(`${prefix}.${name}`, [width, heads, headDim]), [width, lanes]);
    const project = (of: Value, name: string): Value =>
      separateHeads(g, g.matmul(of, weight(name)), heads, headDim);
    const bias = (name: string): Value =>
      g.unsqueeze(parameters.get(`${prefix}.${name}`, [heads, headDim]), [1]);

    const query = project(x, "q");
    const ofContent = g.matmulTransposed(g.add(query, bias("r_w_bias")), project(x, "k"), scale);
    const byDistance = g.matmulTransposed(g.add(query, bias("r_r_bias")), project(distances, "r"), scale);
    const scores = g.add(ofContent, relativeShift(g, byDistance, length));
    const weights = g.softmax(g.add(scores, mask));
    const mixed = joinHeads(g, g.matmul(weights, project(x, "v")), heads, headDim);
    return g.matmulTransposed(mixed, weight("o"));
  };
}
