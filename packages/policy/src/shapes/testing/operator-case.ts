import type { DataType, Graph } from "@ringrank/model";
import { evaluateShapes } from "../evaluate.js";
import { describe, type Evaluated } from "../evaluated.js";
import { type AttributeText, graphOf, node } from "./graph-of.js";

/** A line of an operator's specification: the outputs of one node for given inputs. */
export interface OperatorCase {
  /** Such as `Add` or `com.microsoft::FusedMatMul`. */
  readonly operator: string;
  readonly says: string;
  /** `float32[2,3]` for data, {@link known} for a constant, `""` for an omitted input. */
  readonly inputs: readonly (string | Evaluated)[];
  readonly attributes?: Readonly<Record<string, AttributeText>>;
  /** The outputs, such as `float32[2,3]`. */
  readonly gives: readonly string[];
  /** Of the first output. */
  readonly contents?: readonly number[];
}

/** A constant: `known("int64", [2], [3, -1])`. */
export function known(type: DataType, dims: readonly number[], contents: readonly number[]): Evaluated {
  return { type, dims, contents };
}

/** A constant vector of int64. */
export function int64(...contents: number[]): Evaluated {
  return known("int64", [contents.length], contents);
}

/** Evaluates a graph with the case's node: its outputs, such as `float32[2,3]`, and the contents of the first. */
export function evaluateCase(spec: Omit<OperatorCase, "gives" | "says" | "contents">, outputCount = 1) {
  const outputs = Array.from({ length: outputCount }, (_, i) => `out${i}`);
  const values = evaluateShapes(oneNodeGraph(spec, outputs), {});
  return {
    gives: outputs.map((name) => describe(values.get(name))),
    contents: values.get("out0")?.contents,
  };
}

function oneNodeGraph(
  { operator, inputs, attributes }: Omit<OperatorCase, "gives" | "says">,
  outputs: readonly string[],
): Graph {
  const names = inputs.map((input, slot) => (input === "" ? "" : `in${slot}`));
  return graphOf({
    inputs: inputs.flatMap((input, slot) =>
      typeof input === "string" && input !== "" ? [`in${slot} ${input}`] : [],
    ),
    constants: Object.fromEntries(
      inputs.flatMap((input, slot) => (typeof input === "string" ? [] : [[`in${slot}`, input]])),
    ),
    nodes: [node(operator, names, outputs, attributes)],
  });
}
