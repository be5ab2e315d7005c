import type { Value } from "../../graph/index.js";
import type { Architecture, ModelContext } from "../architecture.js";
import { lowestNumber } from "../blocks/additive-mask.js";
import { rotaryBuffers } from "../blocks/rotary.js";
import type { ExpertCounts, Routes } from "../blocks/routing.js";
import { balancedRouter } from "./balanced-router.js";
import { buildDeepseek, withinBestGroups } from "./deepseek.js";

/** https://arxiv.org/abs/2412.19437 */
export const deepseekV3: Architecture = {
  build(context) {
    buildDeepseek(context, {
      route: (counts, width) =>
        groupedRouter(context, counts, width, { groups: 8, groupsPerRow: 4, normalize: true, scaling: 2.5 }),
      interleaved: context.config.boolean("rope_interleave", { default: true }),
      defaults: { perRow: 8, denseLayers: 3, sharedExperts: 1 },
    });
  },
  // Layer 61 is for multi-token prediction in training.
  ignoredTensors: [...rotaryBuffers, /^model\.layers\.61\./],
};

/** Used if the config does not say. */
interface GroupedRouterDefaults {
  readonly groups: number;
  readonly groupsPerRow: number;
  /** Whether the weights of the chosen experts sum to `scaling`. */
  readonly normalize: boolean;
  readonly scaling: number;
}

/** Routes rows to experts of the best groups; a group's score is the sum of its two best experts' (section 2.1.2). */
export function groupedRouter(
  context: ModelContext,
  counts: ExpertCounts,
  width: number,
  defaults: GroupedRouterDefaults,
): (rows: Value, module: string) => Routes {
  const { g, config } = context;
  const { experts, perRow } = counts;
  config.oneOf("scoring_func", ["sigmoid"], { default: "sigmoid" });
  config.oneOf("topk_method", ["noaux_tc"], { default: "noaux_tc" });
  const groups = {
    groups: config.integer("n_group", { default: defaults.groups }),
    perRow: config.integer("topk_group", { default: defaults.groupsPerRow }),
  };
  // Experts outside the best groups all have the same score, so no choice among them is defined.
  const candidates = (experts / groups.groups) * groups.perRow;
  if (perRow > candidates) {
    throw config.error(
      `expected "num_experts_per_tok" to be at most the ${candidates} experts of "topk_group" groups, got ${perRow}`,
    );
  }
  const normalize = config.boolean("norm_topk_prob", { default: defaults.normalize });
  const scaling = g.numbers([config.number("routed_scaling_factor", { default: defaults.scaling })]);
  return balancedRouter(context, {
    counts,
    width,
    score: (logits) => g.sigmoid(logits),
    bias: "gate.e_score_correction_bias",
    restrict: (scores) =>
      withinBestGroups(context, scores, experts, {
        ...groups,
        worth: (scores) => g.squeeze(g.reduceSum(g.topK(scores, 2)[0], [2]), [2]),
        // Not 0, since a negative bias can make scores negative.
        excluded: lowestNumber,
      }),
    weigh(chosen) {
      const total = g.add(g.reduceSum(chosen, [1]), g.numbers([1e-20]));
      return g.mul(normalize ? g.div(chosen, total) : chosen, scaling);
    },
  });
}
