import { type ConfigReader, type RopeOptions, ropeParameters } from "../../checkpoint/index.js";
import type { GraphBuilder, Value } from "../../graph/index.js";
import type { ModelContext } from "../architecture.js";
import { rotaryFrequencies } from "./rotary-scaling.js";

/** Computed once, for all layers. */
export interface RotaryAngles {
  /** float32 `[batch, sequence, lanes / 2]`, as is `sin`. */
  readonly cos: Value;
  readonly sin: Value;
  /** The number of lanes of a head that rotate, from the first on; undefined for all. */
  readonly lanes: number | undefined;
  readonly interleaved: boolean;
}

interface RotaryOptions extends Omit<RopeOptions, "defaultPartialRotaryFactor"> {
  /** Whether lanes (2i, 2i + 1) form a pair, not (i, i + lanes / 2). Default false. */
  readonly interleaved?: boolean;
  /**
   * The number of lanes of a head that rotate, from the first on. Default: all, and a config that asks for fewer is
   * refused.
   */
  readonly lanes?: number;
}

/**
 * Angles of the rotary position embedding (https://arxiv.org/abs/2104.09864): position times frequency.
 *
 * @param positionIds int64 `[batch, sequence]`
 * @throws RR_CONFIG for a scaling that does not fit the lanes, or an odd number of lanes
 */
export function rotaryAngles(
  context: ModelContext,
  positionIds: Value,
  headDim: number,
  options: RotaryOptions = {},
): RotaryAngles {
  const { g, config } = context;
  const { interleaved = false, lanes = headDim, ...ropeOptions } = options;
  const rope = ropeParameters(config, ropeOptions);
  if (lanes % 2 !== 0 || lanes > headDim) {
    throw config.error(
      `rotary positions need an even number of lanes, up to the ${headDim} of a head, got ${lanes}`,
    );
  }
  if (options.lanes === undefined && rope.partialRotaryFactor !== 1) {
    throw config.error(
      `expected rotary positions on all lanes, got the fraction ${rope.partialRotaryFactor}`,
    );
  }
  const { radians, amplitude } = rotaryFrequencies(context, positionIds, rope, lanes);
  const positions = g.unsqueeze(g.cast(positionIds, "float32"), [2]);
  const angles = g.mul(positions, radians);
  const amplified = (x: Value): Value => (amplitude === 1 ? x : g.mul(x, g.numbers([amplitude])));
  return {
    cos: amplified(g.cos(angles)),
    sin: amplified(g.sin(angles)),
    lanes: lanes === headDim ? undefined : lanes,
    interleaved,
  };
}

/**
 * The number of lanes that rotate, from the config's fraction of them, rounded down.
 *
 * @param defaultFraction used if the config does not say
 */
export function partialRotaryLanes(config: ConfigReader, headDim: number, defaultFraction: number): number {
  const options = { defaultPartialRotaryFactor: defaultFraction };
  return Math.floor(headDim * ropeParameters(config, options).partialRotaryFactor);
}

/** @param x `[batch, heads, sequence, headDim]` */
export function rotate(g: GraphBuilder, x: Value, angles: RotaryAngles): Value {
  return g.rotaryEmbedding(x, angles.cos, angles.sin, angles);
}

/** Frequencies that some checkpoints contain as buffers. */
export const rotaryBuffers = [/\.rotary_emb\.inv_freq$/];
