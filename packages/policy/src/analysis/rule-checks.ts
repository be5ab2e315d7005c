import { RingrankError } from "@ringrank/errors";
import { type Dim, freshDim, keepWhole, sizeOf } from "../factors/factor.js";
import { operatorName } from "../graph/operator-name.js";
import type { Operator } from "../rules/rule.js";
import { isStatic, isUnproven, sameSize, unproven } from "../shapes/size-pair.js";

/** A rule assumes that operands have the axes that its operator needs; those of a file may not. */
export function checkThere(operator: Operator, ...dims: readonly (Dim | undefined)[]): void {
  if (!dims.includes(undefined)) return;
  const operands = operator.inputs.map(
    (operand) => operand && `${operand.type}[${operand.dims.map(([size]) => size).join(", ")}]`,
  );
  throw new RingrankError(
    "RR_GRAPH",
    `${inWords(operator)} needs an axis or an operand that is missing; it has ` +
      operands.map((operand) => operand ?? "(omitted)").join(", "),
  );
}

/**
 * Dimensions with different known sizes are never the same; binding them would cut them in wrong places. A symbol may
 * stand for a size that the graph knows elsewhere.
 */
export function checkEqual(operator: Operator, a: Dim, b: Dim): void {
  const [left, right] = [sizeOf(a), sizeOf(b)];
  if (sameSize(left, right) || !isStatic(left) || !isStatic(right)) return;
  throw new RingrankError(
    "RR_GRAPH",
    `${inWords(operator)} needs two sizes to be equal, but they are ${left[0]} and ${right[0]}`,
  );
}

/** Whether two dimensions may differ in a call: one may have size 1 there, and the other not. */
export function isDoubtful(a: Dim, b: Dim): boolean {
  const [left, right] = [sizeOf(a), sizeOf(b)];
  return (isUnproven(left) || isUnproven(right)) && !sameSize(left, right);
}

export const doubt = { why: "of a size that may differ in other calls" } as const;

/**
 * A rule that loses or invents elements would later shard wrongly, so this is caught here. It is ignored if only one of
 * rule and shape knows a size to be static.
 */
export function checkSizes(operator: Operator, index: number, dims: readonly Dim[]): readonly Dim[] {
  checkThere(operator, ...dims);
  const expected = operator.outputs[index]!.dims;
  const agrees =
    dims.length === expected.length &&
    dims.every((dim, axis) => {
      const [first, second] = sizeOf(dim);
      const [size, other] = expected[axis]!;
      return first === size && (second === other || Number.isNaN(second) || Number.isNaN(other));
    });
  if (agrees) {
    return dims.map((dim, axis) => {
      const size = expected[axis]!;
      if (sameSize(sizeOf(dim), size)) return dim;
      keepWhole(dim, { operator: operatorName(operator.node), ...doubt });
      return freshDim(unproven(size));
    });
  }
  const sizes = dims.map((dim) => sizeOf(dim)[0]).join("×");
  throw new RingrankError(
    "RR_GRAPH",
    `the rule of ${inWords(operator)} gives output ${index} the sizes ${sizes}, but its shape is ` +
      `${expected.map(([size]) => size).join("×")}`,
  );
}

function inWords({ node }: Operator): string {
  return `the ${operatorName(node)} that makes "${node.outputs.find((name) => name !== "") ?? ""}"`;
}
