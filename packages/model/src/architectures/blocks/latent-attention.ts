import { ropeParameters } from "../../checkpoint/index.js";
import type { Value } from "../../graph/index.js";
import type { ModelContext } from "../architecture.js";
import { type AttentionShape, attend, countsOf, joinHeads, separateHeads } from "./attention.js";
import { CausalCaches } from "./causal-cache.js";
import type { CausalStep } from "./causal-step.js";
import type { Sublayer } from "./decoder.js";
import { rmsNorm } from "./norms.js";
import { linear } from "./projections.js";
import { type RotaryAngles, rotaryAngles, rotate } from "./rotary.js";
import { yarnScale } from "./rotary-scaling.js";

/** The sizes of multi-head latent attention. */
export interface LatentShape extends Pick<AttentionShape, "layers" | "width" | "heads"> {
  /** Width of the latent that queries are projected from; undefined if they are projected from the residual stream. */
  readonly queryRank: number | undefined;
  /** Width of the latent that keys and values are projected from. */
  readonly keyValueRank: number;
  /** Lanes of a query and a key without rotary positions. */
  readonly plainLanes: number;
  /** Lanes of a query with rotary positions, and of the one rotated key that all heads share. */
  readonly rotaryLanes: number;
  /** Lanes of a value. */
  readonly valueLanes: number;
}

/**
 * Heads need not divide the width.
 *
 * @param defaultValueLanes used if the config does not say; default: the config must say
 * @throws RR_CONFIG for a missing or invalid size
 */
export function latentShape({ config }: ModelContext, defaultValueLanes?: number): LatentShape {
  return {
    ...countsOf(config),
    queryRank: config.optionalInteger("q_lora_rank"),
    keyValueRank: config.integer("kv_lora_rank"),
    plainLanes: config.integer("qk_nope_head_dim"),
    rotaryLanes: config.integer("qk_rope_head_dim"),
    valueLanes: config.integer(
      "v_head_dim",
      defaultValueLanes === undefined ? {} : { default: defaultValueLanes },
    ),
  };
}

interface LatentAttention {
  readonly step: CausalStep;
  readonly shape: LatentShape;
  /** Whether rotary pairs are neighbouring lanes. */
  readonly interleaved: boolean;
}

/** Here YaRN scales the scores instead of queries and keys, so lanes without rotary positions count too. */
function scoreScale({ config }: ModelContext, { plainLanes, rotaryLanes }: LatentShape): number {
  const { scaling } = ropeParameters(config);
  const growth = scaling.type === "yarn" ? yarnScale(scaling.factor, scaling.mscaleAllDim ?? 0) : 1;
  return growth ** 2 / Math.sqrt(plainLanes + rotaryLanes);
}

/** For the norms of latents, whatever the config says about other norms. */
const epsilon = 1e-6;

/**
 * Multi-head latent attention (https://arxiv.org/abs/2405.04434, section 2.1). The cache stores one row for all heads:
 * the latent of keys and values, and the key's rotated lanes.
 *
 * The matrix K that would expand a latent c to a key is applied to the query instead, and the matrix V that would
 * expand it to a value is applied to the weighted sum of latents. So keys and values are never computed:
 *
 * ```
 *   q·(K c) = (Kᵀq)·c          Σ pᵢ (V cᵢ) = V (Σ pᵢ cᵢ)
 * ```
 */
export function latentAttention(context: ModelContext, options: LatentAttention): Sublayer {
  const { g, config } = context;
  const { step, shape, interleaved } = options;
  const { width, heads, keyValueRank: rank, rotaryLanes, valueLanes } = shape;
  const angles = rotaryAngles(context, step.positionIds, rotaryLanes, { interleaved });
  const scale = scoreScale(context, shape);
  // On the projections to latents, and on the output projection.
  const bias = config.boolean("attention_bias", { default: false });
  const cache = new CausalCaches(g, step).get();
  const lanes = rank + rotaryLanes;

  return (x, layer) => {
    const module = `${layer.module}.self_attn`;
    const [toKey, toValue] = expansions(context, module, shape);
    const [plain, turning] = queries(context, x, module, shape, bias);
    const query = g.concat([g.matmul(plain, toKey), rotate(g, turning, angles)], 3);
    const rows = cache.append(
      `${layer.index}.latent`,
      latents(context, x, module, { shape, angles, bias }),
      1,
      lanes,
    );
    const attended = attend(g, {
      query,
      key: rows,
      value: rows,
      cache,
      shape: { heads, keyValueHeads: 1, headDim: lanes },
      scale,
    });
    const [mixture] = g.split(attended, [rank, rotaryLanes], 3);
    const mixed = joinHeads(g, g.matmulTransposed(mixture!, toValue), heads, valueLanes);
    const output = { name: `${module}.o_proj`, inputs: heads * valueLanes, outputs: width, bias };
    return linear(context, mixed, output);
  };
}

/**
 * The matrices K and V from latents to keys and values: `[heads, plainLanes, rank]` and `[heads, valueLanes, rank]`.
 */
function expansions({ g, parameters }: ModelContext, module: string, shape: LatentShape): [Value, Value] {
  const { heads, plainLanes, valueLanes, keyValueRank: rank } = shape;
  const perHead = plainLanes + valueLanes;
  const stored = parameters.get(`${module}.kv_b_proj.weight`, [heads * perHead, rank]);
  const [toKey, toValue] = g.split(g.reshape(stored, [heads, perHead, rank]), [plainLanes, valueLanes], 1);
  return [toKey!, toValue!];
}

/**
 * Without and with rotary positions (not rotated yet): `[batch, heads, sequence, plainLanes]` and `[batch, heads,
 * sequence, rotaryLanes]`.
 */
function queries(
  context: ModelContext,
  x: Value,
  module: string,
  shape: LatentShape,
  bias: boolean,
): [Value, Value] {
  const { g } = context;
  const { width, heads, queryRank, plainLanes, rotaryLanes } = shape;
  const lanes = plainLanes + rotaryLanes;
  const outputs = heads * lanes;
  const project = (): Value => {
    if (queryRank === undefined) {
      return linear(context, x, { name: `${module}.q_proj`, inputs: width, outputs, bias: false });
    }
    const latent = linear(context, x, {
      name: `${module}.q_a_proj`,
      inputs: width,
      outputs: queryRank,
      bias,
    });
    const normed = rmsNorm(context, latent, { name: `${module}.q_a_layernorm`, width: queryRank, epsilon });
    return linear(context, normed, { name: `${module}.q_b_proj`, inputs: queryRank, outputs, bias: false });
  };
  const perHead = separateHeads(g, project(), heads, lanes);
  const [plain, turning] = g.split(perHead, [plainLanes, rotaryLanes], 3);
  return [plain!, turning!];
}

/** New rows of the cache, `[batch, 1, sequence, rank + rotaryLanes]`. */
function latents(
  context: ModelContext,
  x: Value,
  module: string,
  {
    shape,
    angles,
    bias,
  }: Pick<LatentAttention, "shape"> & { readonly angles: RotaryAngles; readonly bias: boolean },
): Value {
  const { g } = context;
  const { width, keyValueRank: rank, rotaryLanes } = shape;
  const name = `${module}.kv_a_proj_with_mqa`;
  const both = linear(context, x, { name, inputs: width, outputs: rank + rotaryLanes, bias });
  const [latent, turning] = g.split(g.unsqueeze(both, [1]), [rank, rotaryLanes], 3);
  const normed = rmsNorm(context, latent!, { name: `${module}.kv_a_layernorm`, width: rank, epsilon });
  return g.concat([normed, rotate(g, turning!, angles)], 3);
}
