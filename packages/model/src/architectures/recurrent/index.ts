import { withRotaryContext } from "../blocks/rotary-context.js";
import { bamba } from "./bamba.js";
import { falconH1 } from "./falcon-h1.js";
import { graniteMoeHybrid } from "./granite-hybrid.js";
import { mamba2 } from "./mamba2.js";
import { nemotronH } from "./nemotron-h.js";
import { qwen3Next, qwen35, qwen35Moe } from "./qwen3-next.js";

/** Decoders in which some or all layers have a state of fixed size, by the `model_type` of config.json. */
export const recurrentFamilies = withRotaryContext([
  ["bamba", bamba],
  ["falcon_h1", falconH1],
  ["granitemoehybrid", graniteMoeHybrid],
  ["mamba2", mamba2],
  ["nemotron_h", nemotronH],
  ["qwen3_5_moe_text", qwen35Moe],
  ["qwen3_5_text", qwen35],
  ["qwen3_next", qwen3Next],
]);
