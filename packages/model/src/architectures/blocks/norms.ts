import type { Value } from "../../graph/index.js";
import type { ModelContext } from "../architecture.js";

export interface Norm {
  /** The module's name: the tensors are `name.weight` and, for a LayerNorm, `name.bias`. */
  readonly name: string;
  readonly width: number;
  readonly epsilon: number;
  /** Whether a LayerNorm has a bias. Default true. */
  readonly bias?: boolean;
}

/** RMSNorm over the last axis, of size `width`. */
export function rmsNorm({ g, parameters }: ModelContext, x: Value, { name, width, epsilon }: Norm): Value {
  return g.rmsNormalization(x, parameters.get(`${name}.weight`, [width]), epsilon);
}

/**
 * LayerNorm over the last axis, of size `width`. In checkpoints converted from TensorFlow, such as BERT's own, weight
 * and bias are called gamma and beta.
 */
export function layerNorm({ g, parameters }: ModelContext, x: Value, norm: Norm): Value {
  const { name, width, epsilon, bias = true } = norm;
  const scale = parameters.get(`${name}.weight`, [width], `${name}.gamma`);
  const shift = bias ? parameters.get(`${name}.bias`, [width], `${name}.beta`) : undefined;
  return g.layerNormalization(x, scale, shift, epsilon);
}

/** LayerNorm whose weight is stored as its difference from 1. */
export function shiftedLayerNorm({ g, parameters }: ModelContext, x: Value, norm: Norm): Value {
  const { name, width, epsilon } = norm;
  const scale = g.add(parameters.get(`${name}.weight`, [width]), g.numbers([1]));
  return g.layerNormalization(x, scale, parameters.get(`${name}.bias`, [width]), epsilon);
}

/** A norm of given kind, width and ε. `name` is its module. */
export type NamedNorm = (x: Value, name: string) => Value;

/** LayerNorm of one width and ε; `norm.bias` as in a {@link Norm}. */
export function layerNorms(context: ModelContext, norm: Omit<Norm, "name">): NamedNorm {
  return (x, name) => layerNorm(context, x, { ...norm, name });
}

/** LayerNorm without weight and bias; ignores its name. */
export function plainLayerNorms({ g }: ModelContext, width: number, epsilon: number): NamedNorm {
  const ones = g.numbers(new Float32Array(width).fill(1), [width]);
  return (x) => g.layerNormalization(x, ones, undefined, epsilon);
}

/** RMSNorm with the config's ε. */
export function rmsNorms(context: ModelContext, width: number, defaultEpsilon = 1e-6): NamedNorm {
  const epsilon = context.config.number("rms_norm_eps", { min: 0, default: defaultEpsilon });
  return (x, name) => rmsNorm(context, x, { name, width, epsilon });
}

/** RMSNorm whose weight is stored as its difference from 1. */
export function shiftedRmsNorms({ g, config, parameters }: ModelContext, width: number): NamedNorm {
  const epsilon = config.number("rms_norm_eps", { min: 0, default: 1e-6 });
  return (x, name) => {
    const scale = g.add(parameters.get(`${name}.weight`, [width]), g.numbers([1]));
    return g.rmsNormalization(x, scale, epsilon);
  };
}

/** RMSNorm without a weight; ignores its name. */
export function plainRmsNorms({ g, config }: ModelContext, width: number, defaultEpsilon = 1e-6): NamedNorm {
  const epsilon = config.number("rms_norm_eps", { min: 0, default: defaultEpsilon });
  const ones = g.numbers(new Float32Array(width).fill(1), [width]);
  return (x) => g.rmsNormalization(x, ones, epsilon);
}
