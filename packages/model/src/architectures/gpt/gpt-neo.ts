import { type ConfigReader, configLimits, type JsonValue } from "../../checkpoint/index.js";
import type { Architecture, ModelContext } from "../architecture.js";
import { multiHeadShape } from "../blocks/attention.js";
import { linear } from "../blocks/projections.js";
import { separateProjections } from "../blocks/query-key-value.js";
import { buildGpt2 } from "./gpt2.js";

/** https://doi.org/10.5281/zenodo.5297715: GPT-2 with a sliding window in every other layer, and unscaled scores. */
export const gptNeo: Architecture = {
  build(context) {
    const { config } = context;
    const shape = multiHeadShape(config);
    buildGpt2(context, {
      shape,
      project: linear,
      attention: {
        module: "attn.attention",
        heads: separateProjections(context, shape, false),
        output: "out_proj",
        scale: 1,
        window: localLayers(context),
      },
      inner: config.optionalInteger("intermediate_size") ?? 4 * shape.width,
      activation: config.string("activation_function", { default: "gelu_new" }),
    });
  },
  // Older checkpoints store the causal mask and its fill value as buffers.
  ignoredTensors: [/\.attn\.attention\.(masked_)?bias$/],
};

/** The window of each layer: undefined for a global layer, `window_size` for a local one. */
function localLayers({ config }: ModelContext): (layer: number) => number | undefined {
  const kinds = config.optionalStrings("attention_layers") ?? repeatedKinds(config);
  const window = config.integer("window_size", { default: 256 });
  return (layer) => {
    const kind = kinds === undefined ? ["global", "local"][layer % 2] : kinds[layer];
    if (kind === "global") return undefined;
    if (kind === "local") return window;
    throw config.error(
      `expected "attention_layers" or "attention_types" to give global or local for layer ${layer}, got ` +
        `${kind ?? "none"}`,
    );
  };
}

/** `attention_types`: lists of kinds, each with a number of repetitions: `[[["global", "local"], 12]]`. */
function repeatedKinds(config: ConfigReader): readonly JsonValue[] | undefined {
  const types = config.raw("attention_types");
  if (types === undefined) return undefined;
  const isRepeated = (item: JsonValue): item is readonly [readonly JsonValue[], number] =>
    Array.isArray(item) && Array.isArray(item[0]) && isRepetition(item[1]);
  if (Array.isArray(types) && types.every(isRepeated)) {
    return types.flatMap(([kinds, times]) => Array.from({ length: times }, () => kinds).flat());
  }
  throw config.error('expected "attention_types" to be a list of [kinds of layers, repetitions]');
}

function isRepetition(value: JsonValue | undefined): boolean {
  return Number.isInteger(value) && (value as number) >= 0 && (value as number) <= configLimits.layers;
}
