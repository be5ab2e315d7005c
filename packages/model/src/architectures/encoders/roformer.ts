import type { Value } from "../../graph/index.js";
import type { Architecture, ModelContext } from "../architecture.js";
import { embedding } from "../blocks/embedding.js";
import { attentionMaskOf, consecutivePositions, type EncoderInput } from "../blocks/encoder-input.js";
import { type RotaryAngles, rotate } from "../blocks/rotary.js";
import { bertAttention, bertHead, bertIgnored, buildBert } from "./bert.js";

/** BERT with rotary positions from a stored table of sines and cosines. https://arxiv.org/abs/2104.09864 */
export const roformer: Architecture = {
  build(context) {
    const { g, config } = context;
    const rotateValues = config.boolean("rotary_value", { default: false });
    buildBert(context, {
      model: "roformer",
      head: bertHead(context),
      embeddingWidth: config.integer("embedding_size", { default: config.integer("hidden_size") }),
      attention(input, shape) {
        const angles = storedAngles(context, input, shape.headDim);
        const biases = [attentionMaskOf(g, input)];
        return (x, prefix) =>
          bertAttention(context, x, prefix, {
            shape,
            biases,
            rotate: (x: Value) => rotate(g, x, angles),
            rotateValues,
          });
      },
    });
  },
  ignoredTensors: bertIgnored,
};

/** The table has rows `[sin | cos]`, one of each for every pair of neighbouring lanes. */
function storedAngles(context: ModelContext, input: EncoderInput, headDim: number): RotaryAngles {
  const { g, config } = context;
  if (headDim % 2 !== 0) throw config.error(`rotary positions need an even number of lanes, got ${headDim}`);
  const rows = embedding(context, consecutivePositions(g, input), {
    name: "roformer.encoder.embed_positions.weight",
    rows: config.integer("max_position_embeddings"),
    width: headDim,
  });
  const [sin, cos] = g.split(rows, [headDim / 2, headDim / 2], 2);
  return { cos: cos!, sin: sin!, lanes: undefined, interleaved: true };
}
