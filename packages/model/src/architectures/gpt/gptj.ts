import type { Value } from "../../graph/index.js";
import type { Architecture, ModelContext } from "../architecture.js";
import { type AttentionShape, attention, multiHeadShape } from "../blocks/attention.js";
import { CausalCaches } from "../blocks/causal-cache.js";
import { causalStep } from "../blocks/causal-step.js";
import { embedding } from "../blocks/embedding.js";
import { feedForward } from "../blocks/feed-forward.js";
import { languageHead, selectRows } from "../blocks/language-head.js";
import { layerNorm } from "../blocks/norms.js";
import { linear } from "../blocks/projections.js";
import { projectSeparately, type QueryKeyValue } from "../blocks/query-key-value.js";
import { rotaryAngles } from "../blocks/rotary.js";

/** https://github.com/kingoflolz/mesh-transformer-jax */
export const gptj: Architecture = {
  build(context) {
    buildGptj(context, (x, prefix, shape) => projectSeparately(context, x, { prefix, shape, bias: false }));
  },
  // Once kept as buffers: the causal mask and the value it masks with.
  ignoredTensors: [/\.attn\.(bias|masked_bias)$/],
};

/**
 * Attention and feed-forward side by side behind one norm; the first `rotary_dim` lanes turn, neighbours as pairs;
 * a bias on the logits.
 *
 * @param project queries, keys and values of `x` by the attention module called `prefix`
 */
export function buildGptj(
  context: ModelContext,
  project: (x: Value, prefix: string, shape: AttentionShape) => QueryKeyValue,
): void {
  const { g, config } = context;
  const shape = multiHeadShape(config);
  const { width, headDim } = shape;
  const epsilon = config.number("layer_norm_epsilon", { min: 0, default: 1e-5 });
  const inner = config.optionalInteger("n_inner") ?? 4 * width;
  const activation = config.string("activation_function", { default: "gelu_new" });

  const step = causalStep(g);
  const cache = new CausalCaches(g, step).get();
  const angles = rotaryAngles(context, step.positionIds, headDim, {
    lanes: config.integer("rotary_dim", { default: 64 }),
    interleaved: true,
  });
  const table = { name: "transformer.wte.weight", rows: config.integer("vocab_size"), width };

  let x = embedding(context, step.inputIds, table);
  for (let layer = 0; layer < shape.layers; layer++) {
    const prefix = `transformer.h.${layer}`;
    const normed = layerNorm(context, x, { name: `${prefix}.ln_1`, width, epsilon });
    const mixed = attention(g, {
      ...project(normed, `${prefix}.attn`, shape),
      angles,
      layer,
      cache,
      shape,
    });
    const attended = linear(context, mixed, {
      name: `${prefix}.attn.out_proj`,
      inputs: width,
      outputs: width,
      bias: false,
    });
    const fed = feedForward(context, normed, {
      project: linear,
      up: `${prefix}.mlp.fc_in`,
      down: `${prefix}.mlp.fc_out`,
      width,
      inner,
      activation,
    });
    x = g.add(x, g.add(attended, fed));
  }
  const rows = layerNorm(context, selectRows(g, x, step, width), {
    name: "transformer.ln_f",
    width,
    epsilon,
  });
  languageHead(context, rows, {
    table,
    separate: "lm_head.weight",
    bias: "lm_head.bias",
    tiedByDefault: false,
  });
}
