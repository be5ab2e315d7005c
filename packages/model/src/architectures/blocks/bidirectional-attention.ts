import type { Value } from "../../graph/index.js";
import type { ModelContext } from "../architecture.js";
import type { AttentionShape } from "./attention.js";
import type { Sublayer } from "./decoder.js";
import { attend, mergeHeads } from "./encoder-attention.js";
import { attentionMaskOf, type EncoderInput } from "./encoder-input.js";
import { type QueryKeyValue, separateProjections } from "./query-key-value.js";
import { type RotaryAngles, rotate } from "./rotary.js";

interface BidirectionalAttention {
  readonly input: EncoderInput;
  readonly shape: AttentionShape;
  /** Whether the projections of queries, keys and values have biases. Default false. */
  readonly bias?: boolean;
  /** Whether the output projection has a bias. Default false. */
  readonly outputBias?: boolean;
  /** Applied to queries, keys and values before their rotation. `module` contains the projections. */
  readonly adjust?: (heads: QueryKeyValue, module: string) => QueryKeyValue;
  readonly angles: (layer: number) => RotaryAngles;
  /** How far from a query the keys are that it sees, on either side; undefined for all keys. Default: all. */
  readonly reach?: (layer: number) => number | undefined;
  /** Of the scores. Default `1 / √headDim`. */
  readonly scale?: number;
}

/** A decoder's self-attention, under the same names, with queries that also see later keys, and so without a cache. */
export function bidirectionalAttention(context: ModelContext, options: BidirectionalAttention): Sublayer {
  const { g } = context;
  const { input, shape, bias = false, outputBias = false, angles, scale } = options;
  const { adjust = (heads: QueryKeyValue) => heads, reach = () => undefined } = options;
  const projectHeads = separateProjections(context, shape, bias);
  const masks = new Map<number | undefined, Value>();
  const maskOf = (layer: number): Value => {
    const far = reach(layer);
    const mask = masks.get(far) ?? attentionMaskOf(g, input, far);
    masks.set(far, mask);
    return mask;
  };
  return (x, { index, module: layer }) => {
    const module = `${layer}.self_attn`;
    const { query, key, value } = adjust(projectHeads(x, module), module);
    const rotated = (heads: Value): Value => rotate(g, heads, angles(index));
    const mixed = attend(g, {
      query: rotated(query),
      key: rotated(key),
      value,
      shape,
      scale,
      biases: [maskOf(index)],
    });
    return mergeHeads(context, mixed, { name: `${module}.o_proj`, shape, bias: outputBias });
  };
}
