import type { RopeParameters } from "../../checkpoint/index.js";
import { type GraphBuilder, interfaceNames, type Value } from "../../graph/index.js";
import type { ModelContext } from "../architecture.js";

export interface RotaryFrequencies {
  /**
   * Radians per position for each pair of lanes, fastest first: float32 `[lanes / 2]`, or `[batch, 1, lanes / 2]` if
   * they depend on the current length of a sequence.
   */
  readonly radians: Value;
  /** Multiplies cosines and sines. */
  readonly amplitude: number;
}

/**
 * Rotary frequencies, scaled as the config says, so that a model works beyond the context it was first trained on.
 *
 * If they depend on the length, it is the current length of each sequence, or that of its prompt. Cached keys keep the
 * rotation that they had when they were cached, as in transformers.
 *
 * @param positionIds int64 `[batch, sequence]`
 * @throws RR_CONFIG for a list of factors with a length other than the number of pairs, and for factors that lead to
 * infinite frequencies
 */
export function rotaryFrequencies(
  { g, config }: ModelContext,
  positionIds: Value,
  { theta, scaling }: RopeParameters,
  lanes: number,
): RotaryFrequencies {
  const plain = Array.from({ length: lanes / 2 }, (_, pair) => theta ** ((-2 * pair) / lanes));
  const constant = (radians: readonly number[]): Value => {
    if (radians.every(Number.isFinite)) return g.numbers(radians, [radians.length]);
    throw config.error(`its rotary scaling makes frequencies of ${lanes} lanes infinite or NaN`);
  };
  const exponent = (pair: number): number => (-2 * pair) / (lanes - 2);
  switch (scaling.type) {
    case "default":
      return { radians: constant(plain), amplitude: 1 };
    case "linear":
      return { radians: constant(plain.map((radians) => radians / scaling.factor)), amplitude: 1 };
    case "proportional": {
      const turning = Math.floor((scaling.fraction * lanes) / 2);
      return {
        radians: constant(plain.map((radians, pair) => (pair < turning ? radians / scaling.factor : 0))),
        amplitude: 1,
      };
    }
    case "llama3":
      return { radians: constant(plain.map((radians) => scaleLlama3(radians, scaling))), amplitude: 1 };
    case "yarn":
      return { radians: constant(scaleYarn(plain, theta, scaling)), amplitude: yarnAmplitude(scaling) };
    case "longrope": {
      const divided = (factors: readonly number[]): Value => {
        if (factors.length !== plain.length) {
          throw config.error(
            `expected ${plain.length} factors of rotary scaling, one for each pair of lanes, got ${factors.length}`,
          );
        }
        return constant(plain.map((radians, pair) => radians / factors[pair]!));
      };
      const isLong = g.greater(lengths(g, positionIds), g.numbers([scaling.originalMaxPositionEmbeddings]));
      return {
        radians: g.where(isLong, divided(scaling.longFactor), divided(scaling.shortFactor)),
        amplitude: longRopeAmplitude(scaling),
      };
    }
    // theta grows by stretch^(lanes / (lanes − 2)); the exponent of each pair accounts for that.
    case "ntk": {
      const { alpha } = scaling;
      return {
        radians: constant(plain.map((radians, pair) => radians * alpha ** exponent(pair))),
        amplitude: 1,
      };
    }
    case "dynamic": {
      const stretch = g.pow(
        dynamicStretch(g, positionIds, scaling),
        constant(plain.map((_, pair) => exponent(pair))),
      );
      return { radians: g.mul(constant(plain), stretch), amplitude: 1 };
    }
  }
}

type Scaling<Type extends RopeParameters["scaling"]["type"]> = Extract<
  RopeParameters["scaling"],
  { type: Type }
>;

/**
 * The length of each sequence, float32 `[batch, 1, 1]`: the current one, or that of the whole prompt if these tokens are
 * a part of it. So it does not matter in how many parts a prompt comes.
 */
function lengths(g: GraphBuilder, positionIds: Value): Value {
  const last = g.reduceMax(g.unsqueeze(positionIds, [2]), [1]);
  const current = g.add(g.cast(last, "float32"), g.numbers([1]));
  const prompt = g.sharedInput(interfaceNames.promptLengths, "int64", ["batch"]);
  return g.max(current, g.cast(g.unsqueeze(prompt, [1, 2]), "float32"));
}

/** `factor · length / context − (factor − 1)`, at least 1; float32 `[batch, 1, 1]`. */
function dynamicStretch(g: GraphBuilder, positionIds: Value, scaling: Scaling<"dynamic">): Value {
  const { factor, maxPositionEmbeddings } = scaling;
  const grown = g.mul(lengths(g, positionIds), g.numbers([factor / maxPositionEmbeddings]));
  return g.max(g.sub(grown, g.numbers([factor - 1])), g.numbers([1]));
}

/**
 * Keeps frequencies whose wavelength fits into the original context more than `highFreqFactor` times, divides those
 * that fit less than `lowFreqFactor` times by `factor`, and interpolates in between (transformers,
 * `_compute_llama3_parameters`).
 */
function scaleLlama3(radians: number, scaling: Scaling<"llama3">): number {
  const { factor, lowFreqFactor, highFreqFactor, originalMaxPositionEmbeddings } = scaling;
  const turns = (originalMaxPositionEmbeddings * radians) / (2 * Math.PI);
  const kept = clamp((turns - lowFreqFactor) / (highFreqFactor - lowFreqFactor), 0, 1);
  return kept * radians + (1 - kept) * (radians / factor);
}

/**
 * Keeps pairs that turn more than `betaFast` times within the original context, slows those that turn less than
 * `betaSlow` times by `factor`, and interpolates over the pairs in between (https://arxiv.org/abs/2309.00071, section
 * 3.2).
 */
function scaleYarn(plain: readonly number[], theta: number, scaling: Scaling<"yarn">): number[] {
  const { factor, originalMaxPositionEmbeddings, betaFast, betaSlow, truncate } = scaling;
  const pairs = plain.length;
  /** The (fractional) index of the pair that turns this often within the original context. */
  const pairOf = (turns: number): number =>
    (pairs * Math.log(originalMaxPositionEmbeddings / (turns * 2 * Math.PI))) / Math.log(theta);
  const [fast, slow] = [pairOf(betaFast), pairOf(betaSlow)];
  const low = Math.max(truncate ? Math.floor(fast) : fast, 0);
  const high = Math.min(truncate ? Math.ceil(slow) : slow, 2 * pairs - 1);
  const width = high === low ? 0.001 : high - low;
  return plain.map((radians, pair) => {
    const slowed = clamp((pair - low) / width, 0, 1);
    return slowed * (radians / factor) + (1 - slowed) * radians;
  });
}

function yarnAmplitude({ factor, attentionFactor, mscale, mscaleAllDim }: Scaling<"yarn">): number {
  if (attentionFactor !== undefined) return attentionFactor;
  if (mscale && mscaleAllDim) return yarnScale(factor, mscale) / yarnScale(factor, mscaleAllDim);
  return yarnScale(factor, 1);
}

/** YaRN's scale for queries and keys, `0.1 · weight · ln(factor) + 1`. */
export function yarnScale(factor: number, weight: number): number {
  return factor <= 1 ? 1 : 0.1 * weight * Math.log(factor) + 1;
}

/** `√(1 + ln(factor) / ln(original))` (https://arxiv.org/abs/2402.13753). */
function longRopeAmplitude(scaling: Scaling<"longrope">): number {
  const { factor = 1, attentionFactor, originalMaxPositionEmbeddings } = scaling;
  if (attentionFactor !== undefined) return attentionFactor;
  return factor <= 1 ? 1 : Math.sqrt(1 + Math.log(factor) / Math.log(originalMaxPositionEmbeddings));
}

function clamp(value: number, low: number, high: number): number {
  return Math.min(Math.max(value, low), high);
}
