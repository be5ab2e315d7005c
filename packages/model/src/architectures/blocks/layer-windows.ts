import type { ConfigReader } from "../../checkpoint/index.js";

/**
 * Whether each layer has full attention or a sliding window; by `layer_types` if the config has it.
 *
 * @param slides which layers have a sliding window if the config has no `layer_types`
 * @throws RR_CONFIG for an unknown layer type, or too few of them
 */
export function layerTypes(
  config: ConfigReader,
  slides: (layer: number) => boolean,
): (layer: number) => "full_attention" | "sliding_attention" {
  const types = config.optionalStrings("layer_types");
  return (layer) => {
    if (types === undefined) return slides(layer) ? "sliding_attention" : "full_attention";
    const type = types[layer];
    if (type === "full_attention" || type === "sliding_attention") return type;
    throw config.error(
      `expected "layer_types" to be full_attention or sliding_attention for layer ${layer}, got ${type ?? "none"}`,
    );
  };
}

interface SlidingLayers {
  /**
   * How many positions a layer with a sliding window sees, including the query's own; undefined if no layer may have
   * one.
   */
  readonly window: number | undefined;
  /** Which layers have a sliding window if the config has no `layer_types`. */
  readonly slides: (layer: number) => boolean;
}

/**
 * The sliding window of each layer; undefined for full attention.
 *
 * @throws RR_CONFIG as {@link layerTypes}, and if `layer_types` asks for a sliding window but there is no window
 */
export function layerWindows(
  config: ConfigReader,
  { window, slides }: SlidingLayers,
): (layer: number) => number | undefined {
  const typeOf = layerTypes(config, slides);
  return (layer) => {
    if (typeOf(layer) === "full_attention") return undefined;
    if (window === undefined && config.has("layer_types")) {
      throw config.error(
        `"layer_types" gives layer ${layer} a sliding window, but no "sliding_window" is in use`,
      );
    }
    return window;
  };
}

interface AlternatingLayers {
  readonly window: number | undefined;
  /** Every `period`-th layer has full attention. Not called if the config has `layer_types`. */
  readonly period: () => number;
}

/** Like {@link layerWindows}, with a sliding window in every layer except each `period`-th. */
export function alternatingWindows(
  config: ConfigReader,
  { window, period }: AlternatingLayers,
): (layer: number) => number | undefined {
  return layerWindows(config, { window, slides: (layer) => (layer + 1) % period() !== 0 });
}

/**
 * Like {@link layerWindows}, with a sliding window in layers from `max_window_layers` up if `use_sliding_window` is
 * true, as in Qwen 2 and 3.
 */
export function upperLayerWindows(config: ConfigReader): (layer: number) => number | undefined {
  const used = config.boolean("use_sliding_window", { default: false }) && !config.isNull("sliding_window");
  const fullLayers = config.integer("max_window_layers", { min: 0, default: 28 });
  return layerWindows(config, {
    window: used ? config.integer("sliding_window", { default: 4096 }) : undefined,
    slides: (layer) => layer >= fullLayers,
  });
}
