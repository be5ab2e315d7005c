import type { Architecture, ModelContext } from "../architecture.js";
import { multiHeadShape } from "../blocks/attention.js";
import { linear } from "../blocks/projections.js";
import { separateProjections } from "../blocks/query-key-value.js";
import { buildGpt2 } from "./gpt2.js";

/** https://doi.org/10.5281/zenodo.5297715: GPT-2 with windows on every other layer, and scores as they come. */
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
  // The causal mask and the value it masks with were once kept as buffers.
  ignoredTensors: [/\.attn\.attention\.(masked_)?bias$/],
};

/** The window of each layer: global layers see everything, local ones the last `window_size` positions. */
function localLayers({ config }: ModelContext): (layer: number) => number | undefined {
  const kinds = config.optionalStrings("attention_layers");
  const window = config.integer("window_size", { default: 256 });
  return (layer) => {
    const kind = kinds === undefined ? ["global", "local"][layer % 2] : kinds[layer];
    if (kind === "global") return undefined;
    if (kind === "local") return window;
    throw config.error(
      `expected "attention_layers" to be global or local for layer ${layer}, got ${kind ?? "none"}`,
    );
  };
}
