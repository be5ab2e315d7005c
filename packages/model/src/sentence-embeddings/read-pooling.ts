import type { ConfigReader } from "../checkpoint/config-reader.js";
import type { ModuleFolder } from "./module-folder.js";
import { type EmbeddingRecipe, type PoolingMode, poolingModes } from "./recipe.js";
import { requireConfig } from "./require-config.js";

/** Fields of older versions, one for each mode, in the order in which their vectors are concatenated. */
const switches: readonly (readonly [field: string, mode: PoolingMode])[] = [
  ["pooling_mode_cls_token", "cls"],
  ["pooling_mode_max_tokens", "max"],
  ["pooling_mode_mean_tokens", "mean"],
  ["pooling_mode_mean_sqrt_len_tokens", "mean_sqrt_len_tokens"],
  ["pooling_mode_weightedmean_tokens", "weightedmean"],
  ["pooling_mode_lasttoken", "lasttoken"],
];

/** @throws RR_MISSING_FILE, RR_CONFIG */
export function readPooling(folder: ModuleFolder): Pick<EmbeddingRecipe, "pooling" | "poolsPrompt"> {
  const config = requireConfig("Pooling", folder);
  return { pooling: modesOf(config), poolsPrompt: config.boolean("include_prompt", { default: true }) };
}

function modesOf(config: ConfigReader): readonly PoolingMode[] {
  const stated = config.raw("pooling_mode");
  if (stated === undefined) {
    const chosen = switches.filter(([field]) => config.boolean(field, { default: false }));
    return chosen.length === 0 ? ["mean"] : chosen.map(([, mode]) => mode);
  }
  const names: readonly unknown[] = Array.isArray(stated) ? stated : [stated];
  const modes = names.flatMap((name) => poolingModes.filter((mode) => mode === name));
  if (modes.length === names.length && modes.length > 0) return modes;
  throw config.error(
    `expected "pooling_mode" to be one of ${poolingModes.join(", ")}, or a list of them, got ${JSON.stringify(stated)}`,
  );
}
