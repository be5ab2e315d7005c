import type { ConfigReader } from "../../checkpoint/index.js";

/** Layer types with a state, and with attention: transformers 5's names, and those of single families. */
const recurrent: ReadonlySet<string> = new Set(["linear_attention", "mamba"]);
const attention: ReadonlySet<string> = new Set(["full_attention", "attention"]);

/**
 * Which layers have a state instead of attention, by `layer_types`.
 *
 * @param byDefault used if the config does not say
 */
export function recurrentLayers(
  config: ConfigReader,
  byDefault: (layer: number) => boolean,
): (layer: number) => boolean {
  const types = config.optionalStrings(["layer_types", "layers_block_type"]);
  return (layer) => {
    if (types === undefined) return byDefault(layer);
    const type = types[layer] ?? "none";
    if (recurrent.has(type) || attention.has(type)) return recurrent.has(type);
    const known = [...recurrent, ...attention].join(", ");
    throw config.error(`expected "layer_types" to be one of ${known} for layer ${layer}, got ${type}`);
  };
}
