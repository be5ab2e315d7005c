import type { Value } from "../../graph/index.js";
import type { ModelContext } from "../architecture.js";

export interface Projection {
  /** The module's name: the tensors are `name.weight` and `name.bias`. */
  readonly name: string;
  readonly inputs: number;
  readonly outputs: number;
  /** Default true. */
  readonly bias?: boolean;
}

/** A projection whose matrix is stored in a certain layout. */
export type Project = (context: ModelContext, x: Value, projection: Projection) => Value;

/** torch's `Linear`, stored `[outputs, inputs]`: `x Wᵀ + b`. */
export function linear(context: ModelContext, x: Value, projection: Projection): Value {
  const { g, parameters } = context;
  const { name, inputs, outputs } = projection;
  const weight = parameters.get(`${name}.weight`, [outputs, inputs]);
  return addBias(context, g.matmulTransposed(x, weight), projection);
}

/** transformers' `Conv1D`, stored `[inputs, outputs]`: `x W + b`. */
export function conv1d(context: ModelContext, x: Value, projection: Projection): Value {
  const { g, parameters } = context;
  const { name, inputs, outputs } = projection;
  const weight = parameters.get(`${name}.weight`, [inputs, outputs]);
  return addBias(context, g.matmul(x, weight), projection);
}

function addBias({ g, parameters }: ModelContext, x: Value, { name, outputs, bias }: Projection): Value {
  return bias === false ? x : g.add(x, parameters.get(`${name}.bias`, [outputs]));
}
