import { RingrankError } from "@ringrank/errors";
import { intAttribute } from "../graph/attributes.js";
import type { DataType, GraphNode } from "../graph/graph.js";
import { toOnnxDataType } from "../onnx/onnx-data-types.js";
import { originOf } from "./producers.js";
import type { StatePair } from "./state-pairs.js";

/** A state that grows by concatenation: `present = Concat(past, rows)`. */
export interface AppendedRows extends StatePair {
  /** The new rows. */
  readonly rows: string;
  /** The axis that grows. */
  readonly axis: number;
  readonly type: DataType;
  /** Sizes between the batch, which is the first axis, and `axis`; and after it. */
  readonly before: readonly number[];
  readonly after: readonly number[];
}

/**
 * Follows a state through the dataflow, from output back to input.
 *
 * @throws RR_NO_GENERATE if it does not grow by rows appended at the end
 */
export function appendedRows(pair: StatePair, producers: ReadonlyMap<string, GraphNode>): AppendedRows {
  const { past, present } = pair;
  let source = producers.get(originOf(present.name, producers));
  // Joined rows have the same type, so casts to that of the past change nothing (GPT-J has two, GPT-Neo one).
  while (source?.opType === "Cast" && intAttribute(source, "to", 0) === toOnnxDataType(past.type)) {
    source = producers.get(originOf(source.inputs[0]!, producers));
  }
  const [first, rows, more] = source?.inputs ?? [];
  if (source?.opType !== "Concat" || rows === undefined || more !== undefined) {
    throw notAppended(pair, source?.opType ?? "an input or a constant");
  }
  if (originOf(first!, producers) !== past.name) {
    throw notAppended(pair, `Concat of ${first} and ${rows}`);
  }
  const at = (intAttribute(source, "axis", 0) + past.dims.length) % past.dims.length;
  return { ...pair, rows, axis: at, type: past.type, ...fixedSizes(pair, at) };
}

/**
 * Sizes of a state, except batch and rows.
 *
 * @throws RR_NO_GENERATE if batch is not the first axis, or a size other than these two is not fixed
 */
function fixedSizes(
  { past }: StatePair,
  axis: number,
): { readonly before: number[]; readonly after: number[] } {
  const fixed = past.dims.filter((dim) => typeof dim === "number");
  if (axis === 0 || fixed.length !== past.dims.length - 2 || typeof past.dims[0] === "number") {
    throw new RingrankError(
      "RR_NO_GENERATE",
      `the state ${past.name} is [${past.dims.join(", ")}] and grows along axis ${axis}: expected its first axis to ` +
        "be the batch, and all sizes but those two to be numbers",
    );
  }
  return { before: fixed.slice(0, axis - 1), after: fixed.slice(axis - 1) };
}

function notAppended({ past, present }: StatePair, found: string): RingrankError {
  return new RingrankError(
    "RR_NO_GENERATE",
    `expected the state ${present.name} to be Concat(${past.name}, new rows), found ${found}`,
  );
}
