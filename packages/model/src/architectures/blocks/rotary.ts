import { type ConfigReader, type RopeParameters, ropeParameters } from "../../checkpoint/index.js";
import type { GraphBuilder, Value } from "../../graph/index.js";
import type { ModelContext } from "../architecture.js";

/** Computed once, used by every layer. */
export interface RotaryAngles {
  /** float32 `[batch, sequence, lanes / 2]`, as is `sin`. */
  readonly cos: Value;
  readonly sin: Value;
  /** How many lanes of a head rotate, the first ones; undefined for all. */
  readonly lanes: number | undefined;
  readonly interleaved: boolean;
}

interface RotaryOptions {
  /** Whether neighbours (2i, 2i + 1) are a pair, and not (i, i + lanes / 2). Default false. */
  readonly interleaved?: boolean;
  /** How many lanes of a head rotate, the first ones. Default all, and a config that asks for fewer is refused. */
  readonly lanes?: number;
  /** `rope_theta` where the config does not say. */
  readonly defaultTheta?: number;
}

/**
 * Angles of the rotary position embedding (https://arxiv.org/abs/2104.09864): position times frequency.
 *
 * @param positionIds int64 `[batch, sequence]`
 * @throws RR_CONFIG for a scaling that is not computed here, or an odd number of lanes.
 */
export function rotaryAngles(
  context: ModelContext,
  positionIds: Value,
  headDim: number,
  options: RotaryOptions = {},
): RotaryAngles {
  const { g, config } = context;
  const { interleaved = false, lanes = headDim, defaultTheta } = options;
  const rope = ropeParameters(config, defaultTheta === undefined ? {} : { defaultTheta });
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
  const frequencies = scaledFrequencies(rope, lanes);
  if (frequencies === undefined) {
    throw config.error(
      `rotary scaling of type "${rope.scaling.type}" is not supported; supported are default, linear, llama3`,
    );
  }
  const positions = g.unsqueeze(g.cast(positionIds, "float32"), [2]);
  const angles = g.mul(positions, g.numbers(frequencies, [frequencies.length]));
  return {
    cos: g.cos(angles),
    sin: g.sin(angles),
    lanes: lanes === headDim ? undefined : lanes,
    interleaved,
  };
}

/**
 * Lanes that rotate where the config gives a fraction of them, rounded down.
 *
 * @param defaultFraction what holds where the config does not say
 */
export function partialRotaryLanes(config: ConfigReader, headDim: number, defaultFraction: number): number {
  const options = { defaultPartialRotaryFactor: defaultFraction };
  return Math.floor(headDim * ropeParameters(config, options).partialRotaryFactor);
}

/** @param x `[batch, heads, sequence, headDim]` */
export function rotate(g: GraphBuilder, x: Value, angles: RotaryAngles): Value {
  return g.rotaryEmbedding(x, angles.cos, angles.sin, angles);
}

/** Radians per position for each pair of lanes, fastest first; undefined for a scaling that depends on the input. */
function scaledFrequencies({ theta, scaling }: RopeParameters, lanes: number): number[] | undefined {
  const frequencies = Array.from({ length: lanes / 2 }, (_, pair) => theta ** ((-2 * pair) / lanes));
  switch (scaling.type) {
    case "default":
      return frequencies;
    case "linear":
      return frequencies.map((frequency) => frequency / scaling.factor);
    case "llama3":
      return frequencies.map((frequency) => scaleLlama3(frequency, scaling));
    default:
      return undefined;
  }
}

type Llama3Scaling = Extract<RopeParameters["scaling"], { type: "llama3" }>;

/**
 * Wavelengths that fit the original context more than `highFreqFactor` times stay, those that fit less than
 * `lowFreqFactor` times grow by `factor`, and between them one goes over into the other
 * (transformers, `_compute_llama3_parameters`).
 */
function scaleLlama3(frequency: number, scaling: Llama3Scaling): number {
  const { factor, lowFreqFactor, highFreqFactor, originalMaxPositionEmbeddings } = scaling;
  const turns = (originalMaxPositionEmbeddings * frequency) / (2 * Math.PI);
  const kept = Math.min(1, Math.max(0, (turns - lowFreqFactor) / (highFreqFactor - lowFreqFactor)));
  return kept * frequency + (1 - kept) * (frequency / factor);
}
