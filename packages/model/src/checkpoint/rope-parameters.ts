import type { ConfigReader } from "./config-reader.js";

/** Rotary position embedding (https://arxiv.org/abs/2104.09864) as described by a config, in a single form. */
export interface RopeParameters {
  /** Base of the geometric series of wavelengths. */
  readonly theta: number;
  /** Fraction of a head's lanes that rotate, from above 0 to 1. */
  readonly partialRotaryFactor: number;
  readonly scaling: RopeScaling;
}

/** How frequencies change to extend the context beyond that of the original training. */
export type RopeScaling =
  | { readonly type: "default" }
  /** Positions are divided by `factor`. */
  | { readonly type: "linear"; readonly factor: number }
  /** NTK-aware: theta grows with the length of the sequence, from `max_position_embeddings` on. */
  | {
      readonly type: "dynamic";
      readonly factor: number;
      readonly maxPositionEmbeddings: number;
    }
  /** NTK-aware: theta is larger by `alpha^(lanes / (lanes − 2))`, whatever the length. */
  | { readonly type: "ntk"; readonly alpha: number }
  /** Pairs rotate as if all lanes did, but pairs beyond this fraction of the lanes do not rotate. */
  | { readonly type: "proportional"; readonly factor: number; readonly fraction: number }
  /** Llama 3.1: long wavelengths are divided by `factor`, short ones are kept, with a ramp in between. */
  | {
      readonly type: "llama3";
      readonly factor: number;
      readonly lowFreqFactor: number;
      readonly highFreqFactor: number;
      readonly originalMaxPositionEmbeddings: number;
    }
  /** https://arxiv.org/abs/2309.00071 */
  | {
      readonly type: "yarn";
      readonly factor: number;
      readonly originalMaxPositionEmbeddings: number;
      readonly betaFast: number;
      readonly betaSlow: number;
      /** Whether the ends of the ramp are rounded to whole lanes. */
      readonly truncate: boolean;
      readonly attentionFactor?: number;
      readonly mscale?: number;
      readonly mscaleAllDim?: number;
    }
  /**
   * https://arxiv.org/abs/2402.13753: one divisor per pair of lanes, with one list for short and one for long
   * sequences.
   */
  | {
      readonly type: "longrope";
      readonly shortFactor: readonly number[];
      readonly longFactor: readonly number[];
      readonly originalMaxPositionEmbeddings: number;
      readonly factor?: number;
      readonly attentionFactor?: number;
    };

export interface RopeOptions {
  /** If layers differ: the kind to read, as in `layer_types`. Default `full_attention`. */
  readonly layerType?: string;
  /** Used if the config has no theta. Default 10000. */
  readonly defaultTheta?: number;
  /** The field with the separate theta that version 4 has for this kind of layer. Such layers are not scaled. */
  readonly ownTheta?: string;
  /** Used if the config has neither `rope_scaling` nor `rope_parameters`. Default: none. */
  readonly defaultScaling?: RopeScaling;
  /** Used if the config has no fraction. Default 1. */
  readonly defaultPartialRotaryFactor?: number;
  /** The original context next to the scaling, used if the config does not say. Default: that within the scaling. */
  readonly defaultOriginalContext?: number;
}

// GPT-NeoX's own names take precedence over those that transformers 4 wrote next to them.
const thetaNames = ["rotary_emb_base", "rope_theta"];
const partialNames = ["rotary_pct", "partial_rotary_factor"];
const positive = { min: Number.MIN_VALUE };
const fraction = { min: Number.MIN_VALUE, max: 1 };

/**
 * Reads both styles of config.
 *
 * ```
 * version 4   rope_theta | rotary_emb_base, partial_rotary_factor | rotary_pct, rope_scaling: { type | rope_type, … }
 * version 5   rope_parameters: { rope_type, rope_theta, … } or { full_attention: { … }, sliding_attention: { … } }
 * ```
 *
 * A `rope_scaling` next to `rope_parameters` takes precedence, as in transformers: people add it to configs by hand.
 *
 * @throws RR_CONFIG for a scaling that is unknown or lacks a field
 */
export function ropeParameters(config: ConfigReader, options: RopeOptions = {}): RopeParameters {
  const { layerType = "full_attention", ownTheta, defaultScaling = { type: "default" } } = options;
  const { defaultTheta = 10_000, defaultPartialRotaryFactor = 1 } = options;
  let theta = config.number(ownTheta ?? thetaNames, { ...positive, default: defaultTheta });
  let partialRotaryFactor = config.number(partialNames, { ...fraction, default: defaultPartialRotaryFactor });
  let scaling = defaultScaling;
  const version4 = ownTheta === undefined ? nonEmptyObject(config, "rope_scaling") : undefined;
  for (const rope of [version5Parameters(config, layerType), version4]) {
    if (rope === undefined) continue;
    theta = rope.number(thetaNames, { ...positive, default: theta });
    partialRotaryFactor = rope.number(partialNames, { ...fraction, default: partialRotaryFactor });
    scaling = readScaling(rope, config, options.defaultOriginalContext);
  }
  return { theta, partialRotaryFactor: scaling.type === "proportional" ? 1 : partialRotaryFactor, scaling };
}

function version5Parameters(config: ConfigReader, layerType: string): ConfigReader | undefined {
  const parameters = nonEmptyObject(config, "rope_parameters");
  const isKeyedByLayerType = parameters?.names().some((name) => name.endsWith("_attention"));
  return isKeyedByLayerType ? parameters?.object(layerType) : parameters;
}

function nonEmptyObject(config: ConfigReader, name: string): ConfigReader | undefined {
  const object = config.optionalObject(name);
  return object?.names().length === 0 ? undefined : object;
}

const types = [
  "default",
  "mrope",
  "linear",
  "dynamic",
  "proportional",
  "llama3",
  "yarn",
  "longrope",
  "su",
] as const;
/** A divisor of frequencies. */
const divisor = { min: Number.MIN_VALUE };

function readScaling(
  rope: ConfigReader,
  config: ConfigReader,
  defaultOriginalContext: number | undefined,
): RopeScaling {
  const type = rope.oneOf(["rope_type", "type"], types, { default: "default" });
  if (!rope.has(["rope_type", "type"])) refuseUntypedScaling(rope);
  const factor = () => rope.number("factor", divisor);
  // One next to the scaling takes precedence over one within it, and dynamic scaling uses neither, as in transformers.
  const originalMaxPositionEmbeddings = () => {
    const name = "original_max_position_embeddings";
    const beside = config.optionalInteger(name) ?? defaultOriginalContext;
    return beside ?? rope.optionalInteger(name) ?? maxPositionEmbeddings();
  };
  const maxPositionEmbeddings = () => config.integer("max_position_embeddings");
  switch (type) {
    // Positions in time, height and width, which are the same for text.
    case "mrope":
    case "default":
      return { type: "default" };
    case "linear":
      return { type, factor: factor() };
    // Hunyuan also calls it dynamic, and the factor next to alpha has no meaning.
    case "dynamic": {
      const alpha = rope.optionalNumber("alpha", divisor);
      if (alpha !== undefined) return { type: "ntk", alpha };
      return { type, factor: factor(), maxPositionEmbeddings: maxPositionEmbeddings() };
    }
    case "proportional":
      return {
        type,
        factor: rope.number("factor", { ...divisor, default: 1 }),
        fraction: rope.number(partialNames, { ...fraction, default: 1 }),
      };
    case "llama3": {
      const lowFreqFactor = rope.number("low_freq_factor", divisor);
      const highFreqFactor = rope.number("high_freq_factor", divisor);
      if (highFreqFactor <= lowFreqFactor) {
        throw rope.error(
          `expected "high_freq_factor" above "low_freq_factor", got ${highFreqFactor} and ${lowFreqFactor}`,
        );
      }
      return {
        type,
        factor: factor(),
        lowFreqFactor,
        highFreqFactor,
        originalMaxPositionEmbeddings: originalMaxPositionEmbeddings(),
      };
    }
    case "yarn":
      return {
        type,
        factor: factor(),
        originalMaxPositionEmbeddings: originalMaxPositionEmbeddings(),
        betaFast: rope.number("beta_fast", { ...divisor, default: 32 }),
        betaSlow: rope.number("beta_slow", { ...divisor, default: 1 }),
        truncate: rope.boolean("truncate", { default: true }),
        ...present({
          attentionFactor: rope.optionalNumber("attention_factor"),
          mscale: rope.optionalNumber("mscale"),
          mscaleAllDim: rope.optionalNumber("mscale_all_dim"),
        }),
      };
    // Phi-3 called it "su" before it was published.
    case "longrope":
    case "su": {
      const original = originalMaxPositionEmbeddings();
      const extended = config.optionalInteger("max_position_embeddings");
      return {
        type: "longrope",
        shortFactor: readFactors(rope, "short_factor"),
        longFactor: readFactors(rope, "long_factor"),
        originalMaxPositionEmbeddings: original,
        ...present({
          factor: rope.optionalNumber("factor", divisor) ?? (extended && extended / original),
          attentionFactor: rope.optionalNumber("attention_factor") ?? readScales(rope),
        }),
      };
    }
  }
}

/** Fields that only a scaling has, and that are meaningless without its type. */
const scalingNames = ["factor", "short_factor", "long_factor", "low_freq_factor", "high_freq_factor"];

function refuseUntypedScaling(rope: ConfigReader): void {
  const name = scalingNames.find((name) => rope.has(name));
  if (name === undefined) return;
  throw rope.error(`"${name}" asks for scaling, so expected "rope_type" to be one of ${types.join(", ")}`);
}

function readFactors(rope: ConfigReader, name: string): readonly number[] {
  const factors = rope.optionalNumbers(name);
  if (factors === undefined || factors.length === 0 || factors.some((factor) => factor <= 0)) {
    throw rope.error(`expected "${name}" to be a list of numbers above 0, one for each pair of lanes`);
  }
  return factors;
}

/** Phi-3.5-MoE's replacement of attention_factor: one factor for short and one for long sequences. */
function readScales(rope: ConfigReader): number | undefined {
  const [short, long] = ["short_mscale", "long_mscale"].map((name) => rope.optionalNumber(name, divisor));
  if (short === long) return short;
  throw rope.error(`expected "short_mscale" and "long_mscale" to be the same, got ${short} and ${long}`);
}

/** Without the fields that are undefined. */
function present<T extends Record<string, number | undefined>>(fields: T): { [K in keyof T]?: number } {
  const entries = Object.entries(fields).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as { [K in keyof T]?: number };
}
