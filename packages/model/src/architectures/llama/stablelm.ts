import type { Architecture } from "../architecture.js";
import { groupedShape } from "../blocks/attention.js";
import { causalStep } from "../blocks/causal-step.js";
import { buildDecoder, sharedNorm } from "../blocks/decoder.js";
import { gatedFeedForwards } from "../blocks/feed-forward.js";
import { layerNorms } from "../blocks/norms.js";
import { layerNormPerHead } from "../blocks/query-key-norm.js";
import { partialRotaryLanes, rotaryAngles, rotaryBuffers } from "../blocks/rotary.js";
import { selfAttention } from "../blocks/self-attention.js";

/** https://arxiv.org/abs/2402.17834: Llama with LayerNorm, and rotary positions on a quarter of the lanes. */
export const stablelm: Architecture = {
  build(context) {
    const { g, config, parameters } = context;
    const shape = groupedShape(config);
    const { width, headDim } = shape;
    const epsilon = config.number("layer_norm_eps", { min: 0, default: 1e-5 });
    const parallel = config.boolean("use_parallel_residual", { default: false });
    const step = causalStep(g);
    const lanes = partialRotaryLanes(config, headDim, 0.25);
    const angles = rotaryAngles(context, step.positionIds, headDim, { lanes });
    const norms = () =>
      layerNormPerHead(context, shape, epsilon, (module, of, heads) => {
        const weights = `${module}.${of === "query" ? "q_layernorm" : "k_layernorm"}.norms`;
        return parameters.stack((head) => `${weights}.${head}.weight`, heads, [headDim]);
      });
    buildDecoder(context, {
      step,
      shape,
      ...(parallel ? { parallel, norms: sharedNorm } : {}),
      norm: layerNorms(context, { width, epsilon }),
      attention: selfAttention(context, {
        step,
        shape,
        bias: config.boolean("use_qkv_bias", { default: false }),
        ...(config.boolean("qk_layernorm", { default: false }) ? { adjust: norms() } : {}),
        angles: () => angles,
      }),
      feedForward: gatedFeedForwards(context, width),
    });
  },
  ignoredTensors: rotaryBuffers,
};
