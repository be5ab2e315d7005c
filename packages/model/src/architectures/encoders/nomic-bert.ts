import type { ConfigReader } from "../../checkpoint/index.js";
import type { Value } from "../../graph/index.js";
import type { Architecture } from "../architecture.js";
import { groupedShape } from "../blocks/attention.js";
import { attend, mergeHeads } from "../blocks/encoder-attention.js";
import { encoderEmbedding } from "../blocks/encoder-embedding.js";
import { attentionMaskOf, consecutivePositions, encoderInput } from "../blocks/encoder-input.js";
import { gatedFeedForward } from "../blocks/feed-forward.js";
import { layerNorms } from "../blocks/norms.js";
import { fusedProjection, splitParts } from "../blocks/query-key-value.js";
import { rotaryAngles, rotaryBuffers, rotate } from "../blocks/rotary.js";
import { bertHead, bertMaskedHead } from "./bert.js";

/**
 * BERT with rotary positions, gated feed-forwards and no biases in layers. The config is either that of transformers or
 * that of the published models, with GPT-2's names. https://arxiv.org/abs/2402.01613
 */
export const nomicBert: Architecture = {
  build(context) {
    const { g, config } = context;
    refuseOtherVersions(config);
    const shape = groupedShape(config);
    const { width, headDim } = shape;
    const epsilon = config.number(["layer_norm_eps", "layer_norm_epsilon"], { min: 0, default: 1e-12 });
    const norm = layerNorms(context, { width, epsilon });
    const embeddings = "nomic_bert.embeddings";
    const tableOf = (name: string, rows: number) => ({ name: `${embeddings}.${name}.weight`, rows, width });
    const gated = {
      width,
      inner: config.integer(["intermediate_size", "n_inner"]),
      activation: config.string("hidden_act", { default: "silu" }),
      bias: false,
      names: { gate: "fc12", up: "fc11", down: "fc2" },
    };
    const project = fusedProjection(context, shape, { name: "Wqkv", bias: false, split: splitParts });

    const input = encoderInput(g);
    const angles = rotaryAngles(context, consecutivePositions(g, input), headDim, { defaultTheta: 1000 });
    const biases = [attentionMaskOf(g, input)];
    const attention = (x: Value, module: string): Value => {
      const { query, key, value } = project(x, module);
      const turned = { query: rotate(g, query, angles), key: rotate(g, key, angles) };
      const mixed = attend(g, { ...turned, value, shape, biases });
      return mergeHeads(context, mixed, { name: `${module}.out_proj`, shape, bias: false });
    };

    const table = tableOf("word_embeddings", config.integer("vocab_size"));
    let x = encoderEmbedding(context, input, {
      table,
      kinds: [tableOf("token_type_embeddings", config.integer("type_vocab_size", { default: 2 }))],
      norm: { name: "nomic_bert.emb_ln", epsilon },
    });
    for (let layer = 0; layer < shape.layers; layer++) {
      const prefix = `nomic_bert.encoder.layers.${layer}`;
      x = norm(g.add(x, attention(x, `${prefix}.attn`)), `${prefix}.norm1`);
      const fed = gatedFeedForward(context, x, { ...gated, prefix: `${prefix}.mlp` });
      x = norm(g.add(x, fed), `${prefix}.norm2`);
    }
    const head = {
      ...bertHead(context),
      activation: gated.activation,
      norm: "cls.predictions.transform.layer_norm",
    };
    bertMaskedHead(context, x, { table, width, head, epsilon });
  },
  ignoredTensors: [...rotaryBuffers, /(^|\.)pooler\.dense\./],
};

/** @throws RR_CONFIG for settings of the published config that no published model of the first version uses */
function refuseOtherVersions(config: ConfigReader): void {
  for (const name of switches) {
    if (config.boolean(name, { default: false })) throw config.error(`"${name}" is set; expected false`);
  }
  config.oneOf("activation_function", ["swiglu"], { default: "swiglu" });
  const fraction = config.number("rotary_emb_fraction", { default: 1 });
  if (fraction !== 1) throw config.error(`expected "rotary_emb_fraction" to be 1, got ${fraction}`);
  for (const name of ["rotary_scaling_factor", "rotary_emb_scale_base", "num_experts"]) {
    if (config.has(name)) throw config.error(`"${name}" is set, which is not supported; expected null`);
  }
}

const switches = [
  ...["causal", "prenorm", "parallel_block", "use_rms_norm", "rotary_emb_interleaved"],
  ...["qkv_proj_bias", "mlp_fc1_bias", "mlp_fc2_bias"],
];
