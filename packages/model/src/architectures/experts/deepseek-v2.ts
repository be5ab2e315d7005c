import type { Value } from "../../graph/index.js";
import type { Architecture, ModelContext } from "../architecture.js";
import { linear } from "../blocks/projections.js";
import { rotaryBuffers } from "../blocks/rotary.js";
import type { ExpertCounts, Routes } from "../blocks/routing.js";
import { buildDeepseek, withinBestGroups } from "./deepseek.js";

/** https://arxiv.org/abs/2405.04434 */
export const deepseekV2: Architecture = {
  build(context) {
    buildDeepseek(context, {
      route: (counts, width) => router(context, counts, width),
      interleaved: true,
      defaults: { perRow: 6, denseLayers: 0, sharedExperts: 2 },
    });
  },
  ignoredTensors: rotaryBuffers,
};

/** Softmax over all experts, then top-k among all of them or those of the best groups. */
function router(context: ModelContext, { experts, perRow }: ExpertCounts, width: number) {
  const { g, config } = context;
  if (config.boolean("norm_topk_prob", { default: false })) {
    throw config.error('"norm_topk_prob" is set, which DeepSeek-V2 does not support; expected false');
  }
  const method = config.oneOf("topk_method", ["greedy", "group_limited_greedy"], { default: "greedy" });
  const groups =
    method === "greedy"
      ? { groups: 1, perRow: 1 }
      : { groups: config.integer("n_group"), perRow: config.integer("topk_group") };
  const scaling = g.numbers([config.number("routed_scaling_factor", { default: 1 })]);
  return (rows: Value, module: string): Routes => {
    const gate = { name: `${module}.gate`, inputs: width, outputs: experts, bias: false };
    const shares = g.softmax(linear(context, rows, gate));
    const candidates = withinBestGroups(context, shares, experts, {
      ...groups,
      worth: (scores) => g.squeeze(g.reduceMax(scores, [2]), [2]),
      excluded: 0,
    });
    const [weights, indices] = g.topK(candidates, perRow);
    return { weights: g.mul(weights, scaling), indices };
  };
}
