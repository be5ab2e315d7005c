import type { Architecture } from "../architecture.js";
import { rotaryBuffers } from "../blocks/rotary.js";
import { buildDeepseek } from "./deepseek.js";
import { groupedRouter } from "./deepseek-v3.js";

/** https://huggingface.co/zai-org/GLM-4.7-Flash: DeepSeek-V3 with all experts in one group. */
export const glm4MoeLite: Architecture = {
  build(context) {
    buildDeepseek(context, {
      route: (counts, width) =>
        groupedRouter(context, counts, width, { groups: 1, groupsPerRow: 1, normalize: true, scaling: 1.8 }),
      interleaved: context.config.boolean("rope_interleave", { default: true }),
      epsilon: 1e-5,
      defaults: { perRow: 4, denseLayers: 1, sharedExperts: 1 },
    });
  },
  // Layer 47 is for multi-token prediction in training.
  ignoredTensors: [...rotaryBuffers, /^model\.layers\.47\./],
};
