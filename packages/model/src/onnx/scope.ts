import type { AttributeProto } from "./onnx_pb.js";

/** The scope of the nodes of a model, or of one call of a function. */
export interface Scope {
  /** A value's name in the graph. */
  readonly nameOf: (name: string) => string;
  /** The call's values for the function's attributes; empty outside functions. */
  readonly attributes: ReadonlyMap<string, AttributeProto>;
  /** Number of enclosing calls. */
  readonly depth: number;
}

export const outermost: Scope = { nameOf: (name) => name, attributes: new Map(), depth: 0 };
