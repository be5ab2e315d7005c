import type { Architecture } from "../architecture.js";
import { expertSublayer, gatedExperts, sharedExpert } from "../blocks/experts.js";
import { rotaryBuffers } from "../blocks/rotary.js";
import { expertCounts, softmaxRouter } from "../blocks/routing.js";
import { buildHunyuan } from "../llama/hunyuan.js";

/** https://github.com/Tencent-Hunyuan/Hunyuan-A13B: Hunyuan with experts, and a shared one of the same size. */
export const hunyuanMoe: Architecture = {
  build(context) {
    const { config } = context;
    const counts = expertCounts(context, 1);
    const inner = config.integer("intermediate_size");
    const activation = config.string("hidden_act", { default: "silu" });
    buildHunyuan(context, (width) =>
      expertSublayer(context, {
        counts,
        width,
        route: softmaxRouter(context, { counts, width, normalize: true, name: "gate.wg" }),
        run: gatedExperts(context, { ...counts, width, inner, activation }),
        shared: sharedExpert(context, { name: "shared_mlp", width, inner, bias: false, activation }),
      }),
    );
  },
  ignoredTensors: rotaryBuffers,
};
