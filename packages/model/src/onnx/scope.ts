import type { AttributeProto } from "./onnx_pb.js";

/** What the nodes of a model, or of one call of a function, are read in. */
export interface Scope {
  /** A value's name in the graph. */
  readonly nameOf: (name: string) => string;
  /** What the call gives for the function's attributes; empty outside functions. */
  readonly attributes: ReadonlyMap<string, AttributeProto>;
  /** Calls around this one. */
  readonly depth: number;
}

export const outermost: Scope = { nameOf: (name) => name, attributes: new Map(), depth: 0 };
