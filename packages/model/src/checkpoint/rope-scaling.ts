import type { ConfigReader } from "./config-reader.js";

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

/**
 * The scaling that a config's object for rotary embeddings asks for.
 *
 * @param rope the object
 * @param config the config around it
 * @param defaultOriginalContext the original context if the config does not say; default: that within the object
 * @throws RR_CONFIG for a scaling that is unknown or lacks a field
 */
export function readRopeScaling(
  rope: ConfigReader,
  config: ConfigReader,
  defaultOriginalContext: number | undefined,
): RopeScaling {
  const type = rope.oneOf(["rope_type", "type"], types, { default: "default" });
  if (!rope.has(["rope_type", "type"])) refuseUntypedScaling(rope);
  // One next to the scaling takes precedence over one within it, and dynamic scaling uses neither, as in transformers.
  const originalContext = (): number => {
    const name = "original_max_position_embeddings";
    const beside = config.optionalInteger(name) ?? defaultOriginalContext;
    return beside ?? rope.optionalInteger(name) ?? config.integer("max_position_embeddings");
  };
  switch (type) {
    // Positions in time, height and width, which are the same for text.
    case "mrope":
    case "default":
      return { type: "default" };
    case "linear":
      return { type, factor: rope.number("factor", divisor) };
    case "dynamic":
      return readDynamic(rope, config);
    case "proportional":
      return {
        type,
        factor: rope.number("factor", { ...divisor, default: 1 }),
        fraction: rotatedFraction(rope, 1),
      };
    case "llama3":
      return readLlama3(rope, originalContext);
    case "yarn":
      return readYarn(rope, originalContext);
    // Phi-3 called it "su" before it was published.
    case "longrope":
    case "su":
      return readLongRope(rope, config, originalContext());
  }
}

/** The fraction of lanes that rotate. GPT-NeoX's own name takes precedence over the one that transformers 4 wrote. */
export function rotatedFraction(config: ConfigReader, otherwise: number): number {
  const names = ["rotary_pct", "partial_rotary_factor"];
  return config.number(names, { min: Number.MIN_VALUE, max: 1, default: otherwise });
}

/** Hunyuan also calls it dynamic, and the factor next to alpha has no meaning. */
function readDynamic(rope: ConfigReader, config: ConfigReader): RopeScaling {
  const alpha = rope.optionalNumber("alpha", divisor);
  if (alpha !== undefined) return { type: "ntk", alpha };
  return {
    type: "dynamic",
    factor: rope.number("factor", divisor),
    maxPositionEmbeddings: config.integer("max_position_embeddings"),
  };
}

function readLlama3(rope: ConfigReader, originalContext: () => number): RopeScaling {
  const lowFreqFactor = rope.number("low_freq_factor", divisor);
  const highFreqFactor = rope.number("high_freq_factor", divisor);
  if (highFreqFactor <= lowFreqFactor) {
    throw rope.error(
      `expected "high_freq_factor" above "low_freq_factor", got ${highFreqFactor} and ${lowFreqFactor}`,
    );
  }
  return {
    type: "llama3",
    factor: rope.number("factor", divisor),
    lowFreqFactor,
    highFreqFactor,
    originalMaxPositionEmbeddings: originalContext(),
  };
}

function readYarn(rope: ConfigReader, originalContext: () => number): RopeScaling {
  return {
    type: "yarn",
    factor: rope.number("factor", divisor),
    originalMaxPositionEmbeddings: originalContext(),
    betaFast: rope.number("beta_fast", { ...divisor, default: 32 }),
    betaSlow: rope.number("beta_slow", { ...divisor, default: 1 }),
    truncate: rope.boolean("truncate", { default: true }),
    ...present({
      attentionFactor: rope.optionalNumber("attention_factor"),
      mscale: rope.optionalNumber("mscale"),
      mscaleAllDim: rope.optionalNumber("mscale_all_dim"),
    }),
  };
}

function readLongRope(rope: ConfigReader, config: ConfigReader, originalContext: number): RopeScaling {
  const extended = config.optionalInteger("max_position_embeddings");
  return {
    type: "longrope",
    shortFactor: readFactors(rope, "short_factor"),
    longFactor: readFactors(rope, "long_factor"),
    originalMaxPositionEmbeddings: originalContext,
    ...present({
      factor: rope.optionalNumber("factor", divisor) ?? (extended && extended / originalContext),
      attentionFactor: rope.optionalNumber("attention_factor") ?? readScales(rope),
    }),
  };
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
