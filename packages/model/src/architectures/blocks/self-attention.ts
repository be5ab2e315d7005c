import type { Value } from "../../graph/index.js";
import type { ModelContext } from "../architecture.js";
import { type AttentionShape, attention } from "./attention.js";
import { type CausalCache, CausalCaches } from "./causal-cache.js";
import type { CausalStep } from "./causal-step.js";
import type { Layer, Sublayer } from "./decoder.js";
import { linear, type Project } from "./projections.js";
import { type ProjectHeads, type QueryKeyValue, separateProjections } from "./query-key-value.js";
import { type RotaryAngles, rotaryAngles } from "./rotary.js";

export interface SelfAttention {
  readonly step: CausalStep;
  readonly shape: AttentionShape;
  /** Attention's name within its layer. Default `self_attn`. */
  readonly module?: string;
  /** The output projection's name within attention. Default `o_proj`. */
  readonly output?: string;
  /** How the output projection is stored. Default: as torch's `Linear`. */
  readonly project?: Project;
  /** How queries, keys and values are projected. Default: by separate matrices. */
  readonly heads?: ProjectHeads;
  /** Whether separate projections of queries, keys and values have biases. Default false. */
  readonly bias?: boolean;
  /** Whether the output projection has a bias. Default false. */
  readonly outputBias?: boolean;
  /** Applied to queries, keys and values before their rotation. `module` contains the projections. */
  readonly adjust?: (heads: QueryKeyValue, module: string, layer: Layer) => QueryKeyValue;
  /** The rotary angles of a layer; undefined for no rotation. Default: the same in all layers. */
  readonly angles?: (layer: number) => RotaryAngles | undefined;
  /** How many positions a query of a layer sees, including its own; undefined for all. Default: all. */
  readonly window?: (layer: number) => number | undefined;
  /** Whether windows are adjacent chunks, and a query only sees back to the start of its own. Default false. */
  readonly chunked?: boolean;
  /** Name within attention of a projection whose sigmoid multiplies attention's output. Default: none. */
  readonly gate?: string;
  /** Of the scores, by layer if it is a function. Default `1 / √headDim`. */
  readonly scale?: number | ((layer: number) => number);
  /** Added to the scores of every layer; then no layer may have a window. Default: nothing. */
  readonly scoreBias?: (cache: CausalCache) => Value;
  /** Scores are soft-capped to ±cap. Default: no cap. */
  readonly scoreCap?: number | undefined;
  /** Whether each head has an attention sink: a score without a key, from the parameter `sinks`. Default false. */
  readonly sinks?: boolean;
}

/** Self-attention with its projections, and with rotary positions unless `angles` says otherwise. */
export function selfAttention(context: ModelContext, options: SelfAttention): Sublayer {
  const { g, parameters } = context;
  const { step, shape, bias = false, outputBias = false, window, chunked = false, scale, scoreCap } = options;
  const { output = "o_proj", project = linear } = options;
  const { width, heads, headDim } = shape;
  const caches = new CausalCaches(g, step, { chunked });
  const sameAngles = options.angles ? undefined : rotaryAngles(context, step.positionIds, headDim);
  const angles = options.angles ?? (() => sameAngles);
  const projectHeads = options.heads ?? separateProjections(context, shape, bias);
  const adjust = options.adjust ?? ((heads: QueryKeyValue) => heads);
  const scoreBias = options.scoreBias?.(caches.get());
  const gateOf = (x: Value, name: string): Value =>
    linear(context, x, { name, inputs: width, outputs: heads * headDim, bias: false });

  return (x, layer) => {
    const module = `${layer.module}.${options.module ?? "self_attn"}`;
    const projected = projectHeads(x, module);
    const mixed = attention(g, {
      ...adjust(projected, module, layer),
      angles: angles(layer.index),
      layer: layer.index,
      cache: caches.get(window?.(layer.index)),
      shape,
      scale: typeof scale === "function" ? scale(layer.index) : scale,
      scoreCap,
      sinks: options.sinks ? parameters.get(`${module}.sinks`, [heads]) : undefined,
      ...(scoreBias === undefined ? {} : { biases: [scoreBias] }),
    });
    const gate = options.gate === undefined ? projected.gate : gateOf(x, `${module}.${options.gate}`);
    const opened = gate === undefined ? mixed : g.mul(mixed, g.sigmoid(gate));
    return project(context, opened, {
      name: `${module}.${output}`,
      inputs: heads * headDim,
      outputs: width,
      bias: outputBias,
    });
  };
}
