import type { ConfigReader } from "./config-reader.js";
import { type RopeScaling, readRopeScaling, rotatedFraction } from "./rope-scaling.js";

/** Rotary position embedding (https://arxiv.org/abs/2104.09864) as described by a config, in a single form. */
export interface RopeParameters {
  /** Base of the geometric series of wavelengths. */
  readonly theta: number;
  /** Fraction of a head's lanes that rotate, from above 0 to 1. */
  readonly partialRotaryFactor: number;
  readonly scaling: RopeScaling;
}

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

// GPT-NeoX's own name takes precedence over the one that transformers 4 wrote next to it.
const thetaNames = ["rotary_emb_base", "rope_theta"];
const positive = { min: Number.MIN_VALUE };

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
  let partialRotaryFactor = rotatedFraction(config, defaultPartialRotaryFactor);
  let scaling = defaultScaling;
  const version4 = ownTheta === undefined ? nonEmptyObject(config, "rope_scaling") : undefined;
  for (const rope of [version5Parameters(config, layerType), version4]) {
    if (rope === undefined) continue;
    theta = rope.number(thetaNames, { ...positive, default: theta });
    partialRotaryFactor = rotatedFraction(rope, partialRotaryFactor);
    scaling = readRopeScaling(rope, config, options.defaultOriginalContext);
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
