import type { Value } from "../../graph/index.js";
import type { ModelContext } from "../architecture.js";

export interface Norm {
  /** Of the module: the tensors are `name.weight` and, for a LayerNorm, `name.bias`. */
  readonly name: string;
  readonly width: number;
  readonly epsilon: number;
  /** Of a LayerNorm. Default true. */
  readonly bias?: boolean;
}

/** Over the last axis, of size `width`. */
export function rmsNorm({ g, parameters }: ModelContext, x: Value, { name, width, epsilon }: Norm): Value {
  return g.rmsNormalization(x, parameters.get(`${name}.weight`, [width]), epsilon);
}

/**
 * Over the last axis, of size `width`. Checkpoints converted from TensorFlow, BERT's own among them, call weight and
 * bias gamma and beta.
 */
export function layerNorm({ g, parameters }: ModelContext, x: Value, norm: Norm): Value {
  const { name, width, epsilon, bias = true } = norm;
  const scale = parameters.get(`${name}.weight`, [width], `${name}.gamma`);
  const shift = bias ? parameters.get(`${name}.bias`, [width], `${name}.beta`) : undefined;
  return g.layerNormalization(x, scale, shift, epsilon);
}
