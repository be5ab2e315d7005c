import { type RopeParameters, ropeParameters } from "../../checkpoint/index.js";
import type { GraphBuilder, Value } from "../../graph/index.js";
import type { ModelContext } from "../architecture.js";

/** float32 `[batch, sequence, headDim / 2]` each; computed once, used by every layer. */
export interface RotaryAngles {
  readonly cos: Value;
  readonly sin: Value;
}

/**
 * Angles of the rotary position embedding (https://arxiv.org/abs/2104.09864): position times frequency.
 *
 * @param positionIds int64 `[batch, sequence]`
 * @throws RR_CONFIG for a scaling that is not computed here, or an odd number of lanes.
 */
export function rotaryAngles(context: ModelContext, positionIds: Value, headDim: number): RotaryAngles {
  const { g, config } = context;
  const rope = ropeParameters(config);
  if (headDim % 2 !== 0) throw config.error(`rotary positions need an even number of lanes, got ${headDim}`);
  if (rope.partialRotaryFactor !== 1) {
    throw config.error(
      `expected rotary positions on all lanes, got the fraction ${rope.partialRotaryFactor}`,
    );
  }
  const frequencies = scaledFrequencies(rope, headDim);
  if (frequencies === undefined) {
    throw config.error(
      `rotary scaling of type "${rope.scaling.type}" is not supported; supported are default, linear, llama3`,
    );
  }
  const positions = g.unsqueeze(g.cast(positionIds, "float32"), [2]);
  const angles = g.mul(positions, g.numbers(frequencies, [frequencies.length]));
  return { cos: g.cos(angles), sin: g.sin(angles) };
}

/** @param x `[batch, heads, sequence, headDim]` */
export function rotate(g: GraphBuilder, x: Value, { cos, sin }: RotaryAngles): Value {
  return g.rotaryEmbedding(x, cos, sin);
}

/** Radians per position for each pair of lanes, fastest first; undefined for a scaling that depends on the input. */
function scaledFrequencies({ theta, scaling }: RopeParameters, headDim: number): number[] | undefined {
  const frequencies = Array.from({ length: headDim / 2 }, (_, pair) => theta ** ((-2 * pair) / headDim));
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
