import type { Value } from "../../graph/index.js";
import type { ModelContext } from "../architecture.js";
import { type AttentionShape, attention } from "./attention.js";
import { CausalCaches } from "./causal-cache.js";
import type { CausalStep } from "./causal-step.js";
import { layerModule, type Sublayer } from "./decoder.js";
import { linear } from "./projections.js";
import { fusedLanes, projectSeparately, type QueryKeyValue, splitParts } from "./query-key-value.js";
import { type RotaryAngles, rotaryAngles } from "./rotary.js";

interface SelfAttention {
  readonly step: CausalStep;
  readonly shape: AttentionShape;
  /** Whether queries, keys and values come from one matrix, `qkv_proj`. Default false. */
  readonly fused?: boolean;
  /** On queries, keys and values. Default false. */
  readonly bias?: boolean;
  /** On the output. Default false. */
  readonly outputBias?: boolean;
  /** What becomes of queries, keys and values before they turn. `module` is the one that holds the projections. */
  readonly adjust?: (heads: QueryKeyValue, module: string) => QueryKeyValue;
  /** By which a layer's queries and keys turn; undefined for not at all. Default: the same in all layers. */
  readonly angles?: (layer: number) => RotaryAngles | undefined;
  /** How many positions a layer sees, itself included; undefined for all. Default: all. */
  readonly window?: (layer: number) => number | undefined;
  /** Of the scores. Default `1 / √headDim`. */
  readonly scale?: number;
  /** The scores' bound. Default: none. */
  readonly scoreCap?: number | undefined;
  /** Whether each head has a score that stands for no key, `sinks`. Default false. */
  readonly sinks?: boolean;
}

/** Self-attention in Llama's frame, with rotary positions unless `angles` says otherwise. */
export function selfAttention(context: ModelContext, options: SelfAttention): Sublayer {
  const { g, parameters } = context;
  const { step, shape, fused = false, bias = false, outputBias = false, window, scale, scoreCap } = options;
  const { width, heads, headDim } = shape;
  const caches = new CausalCaches(g, step);
  const sameAngles = options.angles ? undefined : rotaryAngles(context, step.positionIds, headDim);
  const angles = options.angles ?? (() => sameAngles);
  const adjust = options.adjust ?? ((heads: QueryKeyValue) => heads);

  const project = (x: Value, module: string): QueryKeyValue => {
    if (!fused) return projectSeparately(context, x, { prefix: module, shape, bias });
    const projection = { name: `${module}.qkv_proj`, inputs: width, outputs: fusedLanes(shape), bias };
    return splitParts(g, linear(context, x, projection), shape);
  };
  return (x, layer) => {
    const module = `${layerModule(layer)}.self_attn`;
    const mixed = attention(g, {
      ...adjust(project(x, module), module),
      angles: angles(layer),
      layer,
      cache: caches.get(window?.(layer)),
      shape,
      scale,
      scoreCap,
      sinks: options.sinks ? parameters.get(`${module}.sinks`, [heads]) : undefined,
    });
    return linear(context, mixed, {
      name: `${module}.o_proj`,
      inputs: heads * headDim,
      outputs: width,
      bias: outputBias,
    });
  };
}
