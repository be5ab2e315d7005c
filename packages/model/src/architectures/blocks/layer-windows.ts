import type { ConfigReader } from "../../checkpoint/index.js";

interface LayerWindowDefaults {
  /** `sliding_window` where the config does not say. */
  readonly defaultWindow: number;
  /** `max_window_layers` where the config does not say: how many of the lower layers see everything. */
  readonly defaultFullLayers: number;
}

/**
 * The sliding window of each layer, undefined for one that sees everything: by `layer_types` where the config
 * has them, else from layer `max_window_layers` up. Without `use_sliding_window` no layer has one.
 *
 * @throws RR_CONFIG for a layer type that is not known, or too few of them.
 */
export function layerWindows(
  config: ConfigReader,
  { defaultWindow, defaultFullLayers }: LayerWindowDefaults,
): (layer: number) => number | undefined {
  const used = config.boolean("use_sliding_window", { default: false }) && !config.isNull("sliding_window");
  const window = used ? config.integer("sliding_window", { default: defaultWindow }) : undefined;
  const types = config.optionalStrings("layer_types");
  const fullLayers = config.integer("max_window_layers", { min: 0, default: defaultFullLayers });
  return (layer) => {
    if (types === undefined) return layer < fullLayers ? undefined : window;
    switch (types[layer]) {
      case "full_attention":
        return undefined;
      case "sliding_attention":
        if (window !== undefined) return window;
        throw config.error(`"layer_types" slides layer ${layer}, but no "sliding_window" is in use`);
      default:
        throw config.error(
          `expected "layer_types" to be full_attention or sliding_attention for layer ${layer}, got ${types[layer] ?? "none"}`,
        );
    }
  };
}
