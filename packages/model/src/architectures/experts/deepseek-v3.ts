import type { Value } from "../../graph/index.js";
import type { Architecture, ModelContext } from "../architecture.js";
import { lowestNumber } from "../blocks/additive-mask.js";
import { linear } from "../blocks/projections.js";
import { rotaryBuffers } from "../blocks/rotary.js";
import type { ExpertCounts, Routes } from "../blocks/routing.js";
import { buildDeepseek, withinBestGroups } from "./deepseek.js";

/** https://arxiv.org/abs/2412.19437 */
export const deepseekV3: Architecture = {
  build(context) {
    buildDeepseek(context, {
      route: (counts, width) => router(context, counts, width),
      interleaved: context.config.boolean("rope_interleave", { default: true }),
      defaults: { perRow: 8, denseLayers: 3, sharedExperts: 1 },
    });
  },
  // Layer 61 predicts one more token while training.
  ignoredTensors: [...rotaryBuffers, /^model\.layers\.61\./],
};

/**
 * Experts are chosen by their score plus a bias that evens out their load, and count for their score alone; a
 * group is worth its two best experts (section 2.1.2).
 */
function router(context: ModelContext, { experts, perRow }: ExpertCounts, width: number) {
  const { g, config, parameters } = context;
  config.oneOf("scoring_func", ["sigmoid"], { default: "sigmoid" });
  config.oneOf("topk_method", ["noaux_tc"], { default: "noaux_tc" });
  const groups = {
    groups: config.integer("n_group", { default: 8 }),
    perRow: config.integer("topk_group", { default: 4 }),
  };
  // Of those outside the best groups, ones of no score, there is no best.
  const candidates = (experts / groups.groups) * groups.perRow;
  if (perRow > candidates) {
    throw config.error(
      `expected "num_experts_per_tok" to be at most the ${candidates} experts of "topk_group" groups, got ${perRow}`,
    );
  }
  const normalize = config.boolean("norm_topk_prob", { default: true });
  const scaling = g.numbers([config.number("routed_scaling_factor", { default: 2.5 })]);
  return (rows: Value, module: string): Routes => {
    const gate = { name: `${module}.gate`, inputs: width, outputs: experts, bias: false };
    const scores = g.sigmoid(linear(context, rows, gate));
    const bias = parameters.get(`${module}.gate.e_score_correction_bias`, [experts]);
    const candidates = withinBestGroups(context, g.add(scores, bias), experts, {
      ...groups,
      worth: (scores) => g.squeeze(g.reduceSum(g.topK(scores, 2)[0], [2]), [2]),
      // Where the bias is negative, a score may be below 0.
      excluded: lowestNumber,
    });
    const [, indices] = g.topK(candidates, perRow);
    const chosen = g.gatherElements(scores, indices, 1);
    const total = g.add(g.reduceSum(chosen, [1]), g.numbers([1e-20]));
    const weights = normalize ? g.div(chosen, total) : chosen;
    return { weights: g.mul(weights, scaling), indices };
  };
}
