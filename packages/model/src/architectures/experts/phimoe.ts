import type { Value } from "../../graph/index.js";
import type { Architecture, ModelContext } from "../architecture.js";
import { lowestNumber } from "../blocks/additive-mask.js";
import { groupedShape } from "../blocks/attention.js";
import { causalStep } from "../blocks/causal-step.js";
import { buildDecoder } from "../blocks/decoder.js";
import { layerNorms } from "../blocks/norms.js";
import { linear } from "../blocks/projections.js";
import { rotaryAngles, rotaryBuffers } from "../blocks/rotary.js";
import { type ExpertCounts, expertCounts, isIndex, type Routes } from "../blocks/routing.js";
import { selfAttention } from "../blocks/self-attention.js";
import { mixtralExperts } from "./mixtral-experts.js";

/**
 * https://arxiv.org/abs/2404.14219, https://arxiv.org/abs/2409.12136: Mixtral with LayerNorm and the SparseMixer
 * router.
 */
export const phimoe: Architecture = {
  build(context) {
    const { g, config } = context;
    const shape = groupedShape(config, { keyValueHeads: 8 });
    const { width, headDim } = shape;
    const step = causalStep(g);
    const bias = config.boolean("attention_bias", { default: false });
    const epsilon = config.number("rms_norm_eps", { min: 0, default: 1e-5 });
    const angles = rotaryAngles(context, step.positionIds, headDim, { defaultTheta: 1_000_000 });
    const window = config.optionalInteger("sliding_window");
    const counts = expertCounts(context, 2);
    buildDecoder(context, {
      step,
      shape,
      norm: layerNorms(context, { width, epsilon }),
      attention: selfAttention(context, {
        step,
        shape,
        bias,
        outputBias: bias,
        angles: () => angles,
        window: () => window,
      }),
      feedForward: mixtralExperts(context, {
        counts,
        width,
        route: sparseMixer(context, counts, width),
      }),
      headBias: config.boolean("lm_head_bias", { default: false }),
    });
  },
  ignoredTensors: rotaryBuffers,
};

/**
 * Routes a row to its two best experts. The weight of each is its share of a softmax over the experts whose scores are
 * near its own; the second expert's softmax excludes the first expert.
 *
 * ```
 *   near:  best − score ≤ 2 · jitter · max(|score|, best)
 * ```
 */
function sparseMixer(
  context: ModelContext,
  { experts, perRow }: ExpertCounts,
  width: number,
): (rows: Value, module: string) => Routes {
  const { g, config } = context;
  if (perRow !== 2) throw config.error(`expected "num_experts_per_tok" to be 2, got ${perRow}`);
  const tolerance = g.numbers([2 * config.number("router_jitter_noise", { min: 0, default: 0.01 })]);
  const none = g.numbers([lowestNumber]);
  return (rows, module) => {
    const gate = { name: `${module}.gate`, inputs: width, outputs: experts, bias: false };
    const scores = linear(context, rows, gate);
    const [values, indices] = g.topK(scores, 2);
    const [first, second] = g.split(values, [1, 1], 1);
    const [firstIndex] = g.split(indices, [1, 1], 1);
    const isFirst = g.squeeze(isIndex(g, firstIndex!, experts), [1]);
    const share = (best: Value, candidates: Value): Value => {
      const size = g.max(g.abs(scores), best);
      const isFar = g.greater(g.div(g.sub(best, scores), size), tolerance);
      return g.reduceMax(g.softmax(g.where(isFar, none, candidates)), [1]);
    };
    const weights = g.concat([share(first!, scores), share(second!, g.where(isFirst, none, scores))], 1);
    return { weights, indices };
  };
}
