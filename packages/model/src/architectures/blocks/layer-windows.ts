import type { ConfigReader } from "../../checkpoint/index.js";

/**
 * Whether each layer sees everything or a sliding window; by `layer_types` where the config has them.
 *
 * @param slides which layers slide, where it does not
 * @throws RR_CONFIG for a layer type that is not known, or too few of them.
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
  /** How many positions a layer that slides sees, itself included; undefined where none may slide. */
  readonly window: number | undefined;
  /** Which layers slide, where the config has no `layer_types`. */
  readonly slides: (layer: number) => boolean;
}

/**
 * The sliding window of each layer, undefined for one that sees everything.
 *
 * @throws RR_CONFIG as {@link layerTypes}, and for a layer that `layer_types` slides where none may.
 */
export function layerWindows(
  config: ConfigReader,
  { window, slides }: SlidingLayers,
): (layer: number) => number | undefined {
  const typeOf = layerTypes(config, slides);
  return (layer) => {
    if (typeOf(layer) === "full_attention") return undefined;
    if (window === undefined && config.has("layer_types")) {
      throw config.error(`"layer_types" slides layer ${layer}, but no "sliding_window" is in use`);
    }
    return window;
  };
}

interface AlternatingLayers {
  readonly window: number | undefined;
  /** Which layers do not slide: each so many-th. Not asked for where the config has `layer_types`. */
  readonly period: () => number;
}

/** As above, where every layer slides but each `period`-th. */
export function alternatingWindows(
  config: ConfigReader,
  { window, period }: AlternatingLayers,
): (layer: number) => number | undefined {
  return layerWindows(config, { window, slides: (layer) => (layer + 1) % period() !== 0 });
}

/**
 * As above, where `use_sliding_window` lets layers from `max_window_layers` up slide.
 *
 * @param defaultFullLayers `max_window_layers` where the config does not say
 */
export function upperLayerWindows(
  config: ConfigReader,
  defaultFullLayers: number,
): (layer: number) => number | undefined {
  const used = config.boolean("use_sliding_window", { default: false }) && !config.isNull("sliding_window");
  const fullLayers = config.integer("max_window_layers", { min: 0, default: defaultFullLayers });
  return layerWindows(config, {
    window: used ? config.integer("sliding_window", { default: 4096 }) : undefined,
    slides: (layer) => layer >= fullLayers,
  });
}
