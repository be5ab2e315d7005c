import type { ConfigReader } from "../../checkpoint/index.js";

interface LayerNames {
  /** What `layer_types` calls layers with a state, and layers with attention. */
  readonly recurrent: string;
  readonly attention: string;
  /** Where it does not say. */
  readonly byDefault: (layer: number) => boolean;
}

/** Which layers have a state, and which attention. */
export function recurrentLayers(
  config: ConfigReader,
  { recurrent, attention, byDefault }: LayerNames,
): (layer: number) => boolean {
  const types = config.optionalStrings("layer_types");
  return (layer) => {
    if (types === undefined) return byDefault(layer);
    const type = types[layer];
    if (type === recurrent || type === attention) return type === recurrent;
    throw config.error(
      `expected "layer_types" to be ${recurrent} or ${attention} for layer ${layer}, got ${type ?? "none"}`,
    );
  };
}
