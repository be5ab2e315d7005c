import type { Value } from "../../graph/index.js";
import type { ModelContext } from "../architecture.js";

interface Norm {
  /** Of the module: the tensors are `name.weight` and, for a LayerNorm, `name.bias`. */
  readonly name: string;
  readonly width: number;
  readonly epsilon: number;
}

/** Over the last axis, of size `width`. */
export function rmsNorm({ g, parameters }: ModelContext, x: Value, { name, width, epsilon }: Norm): Value {
  return g.rmsNormalization(x, parameters.get(`${name}.weight`, [width]), epsilon);
}

/** Over the last axis, of size `width`. */
export function layerNorm({ g, parameters }: ModelContext, x: Value, { name, width, epsilon }: Norm): Value {
  const scale = parameters.get(`${name}.weight`, [width]);
  return g.layerNormalization(x, scale, parameters.get(`${name}.bias`, [width]), epsilon);
}
