import type { GraphNode } from "@ringrank/model";
import { operatorName } from "../graph/operator-name.js";
import { readBroadcast } from "./strides.js";
import { shapeRules } from "./table.js";
import { type Both, isSame, type Marks, type ValuesAtBoth } from "./values-at-both.js";

/**
 * Operators that return elements of their inputs unchanged, at other positions. All except Concat have one data input.
 */
const moving: ReadonlySet<string> = new Set([
  ...["Identity", "Dropout", "Gather", "Slice", "Split", "Concat", "Reshape", "Flatten", "Squeeze"],
  ...["Unsqueeze", "Transpose", "Expand", "Tile"],
]);
/** Of these, the operators that select by their other inputs. */
const choosing: ReadonlySet<string> = new Set(["Gather", "Slice"]);
/**
 * Sums and products of elements, and operators that keep different elements different. If their results are equal at
 * both settings, they are equal at all.
 */
const exact: ReadonlySet<string> = new Set([
  ...["Add", "Sub", "Mul", "Neg", "Sum", "Not", "Sqrt", "Reciprocal", "ReduceSum", "ReduceProd"],
  ...["Range", "ConstantOfShape", "ScatterND"],
]);
/** Operators that round: exact if they happen to leave elements unchanged. */
const rounding: ReadonlySet<string> = new Set(["Cast", "CastLike", "Floor", "Ceil", "Round"]);
const comparisons: ReadonlySet<string> = new Set([
  ...["Equal", "Less", "LessOrEqual", "Greater", "GreaterOrEqual"],
]);
/** Operators whose elements are computed from the elements at the same position. */
const elementwise: ReadonlySet<string> = new Set([
  ...["Add", "Sub", "Mul", "Neg", "Sum", "Not", "Sqrt", "Reciprocal", "Where", "Div", "Min", "Max", "Clip"],
  ...["Mod", "Pow", "Mean", "Abs", "Sign", "Relu", "And", "Or", "Xor", ...rounding, ...comparisons],
]);

/** Whether all elements of a node's outputs that differ between the settings are sizes. */
export function sizesPassThrough(node: GraphNode, values: ValuesAtBoth): boolean {
  const operator = operatorName(node);
  if (operator === "Shape" || operator === "Size") return true;
  if (operator === "Add" || operator === "Mul")
    return node.inputs.every((name) => values.sizes.has(name) || isNeverNegative(name, values));
  if (!moving.has(operator)) return false;
  const data = operator === "Concat" ? node.inputs : node.inputs.slice(0, 1);
  return (
    data.some((name) => values.sizes.has(name)) &&
    data.every((name) => values.sizes.has(name) || !values.varies(name))
  );
}

function isNeverNegative(name: string, values: ValuesAtBoth): boolean {
  return !values.varies(name) && values.get(name)?.second.contents?.every((element) => element >= 0) === true;
}

/** By output of a node: the marks of its elements, if they are known at both settings. */
export function doubtfulContents(
  node: GraphNode,
  index: number,
  values: ValuesAtBoth,
): readonly (Marks | undefined)[] {
  const operator = operatorName(node);
  if (!values.hasMarks(node) && isHarmless(operator)) return [];
  const outputs = node.outputs.map((name) => values.get(name));
  const isKnown = (both: Both | undefined): both is Both =>
    both?.first.contents !== undefined && both.first.contents.length === both.second.contents?.length;
  if (!outputs.some(isKnown)) return [];
  if (operator === "Shape") return sizesAsMarks(node, index, values);
  if (moving.has(operator)) return moved(node, operator, index, values);
  return outputs.map((both) => {
    if (!isKnown(both)) return undefined;
    if (elementwise.has(operator)) return byElement(node, operator, both, values);
    const doubted = isHarmless(operator)
      ? values.hasMarks(node)
      : node.inputs.some((name) => name !== "" && values.varies(name));
    return doubted ? both.second.contents!.map(() => 1) : undefined;
  });
}

/** Whether an operator's outputs are proven if its inputs are. */
function isHarmless(operator: string): boolean {
  return (
    exact.has(operator) ||
    operator === "Shape" ||
    operator === "Size" ||
    (moving.has(operator) && !choosing.has(operator))
  );
}

function sizesAsMarks(node: GraphNode, index: number, values: ValuesAtBoth): readonly (Marks | undefined)[] {
  const context = values.context(node, index, ({ type, dims }, marks) => ({
    type,
    dims: dims.map((_, axis) => marks?.dims[axis] ?? 0),
  }));
  return shapeRules.get("Shape")!(context).map(({ contents }) => contents);
}

/** Moves marks as the operator's rule moves elements. */
function moved(
  node: GraphNode,
  operator: string,
  index: number,
  values: ValuesAtBoth,
): readonly (Marks | undefined)[] {
  const indices = choosing.has(operator) ? node.inputs.slice(1) : [];
  const isDoubtful = indices.some((name) => name !== "" && values.varies(name));
  const context = values.context(node, index, (value, marks, slot) =>
    slot > 0 && operator !== "Concat"
      ? value
      : {
          ...value,
          contents: value.contents?.map((_, at) => (isDoubtful ? 1 : (marks?.contents?.[at] ?? 0))),
        },
  );
  return shapeRules.get(operator)!(context).map(({ contents }) => contents);
}

/** An element of an operand at both settings. */
interface Element {
  readonly first: number;
  readonly second: number;
  readonly isMarked: boolean;
  /** Whether it is never negative in any call. */
  readonly isSize: boolean;
}

function byElement(node: GraphNode, operator: string, both: Both, values: ValuesAtBoth): Marks | undefined {
  const names = operator === "CastLike" ? node.inputs.slice(0, 1) : node.inputs;
  const { dims } = both.second;
  const operands = names.flatMap((name) => {
    if (name === "") return [];
    const { first, second } = values.get(name) ?? {};
    if (first?.contents?.length !== second?.contents?.length) return [undefined];
    const spread = (elements: readonly number[]): readonly number[] =>
      readBroadcast(elements, second!.dims, dims);
    const [before, after] = [spread(first!.contents!), spread(second!.contents!)];
    const marks = spread(second!.contents!.map((_, at) => values.unproven.get(name)?.contents?.[at] ?? 0));
    const isSize = values.sizes.has(name);
    return [
      (at: number): Element => ({
        first: before[at]!,
        second: after[at]!,
        isMarked: marks[at] === 1,
        isSize: isSize || (isSame(before[at]!, after[at]!) && before[at]! >= 0),
      }),
    ];
  });
  return both.second.contents!.map((second, at) => {
    const elements = operands.flatMap((operand) => (operand === undefined ? [] : operand(at)));
    if (elements.length < operands.length) return 1;
    return isExact(operator, elements, { first: both.first.contents![at]!, second }) ? 0 : 1;
  });
}

function isExact(
  operator: string,
  elements: readonly Element[],
  result: { readonly first: number; readonly second: number },
): boolean {
  if (elements.every(isConstant)) return true;
  if (operator === "Where") return isChosenExactly(elements);
  if (elements.some(({ isMarked }) => isMarked)) return false;
  if (exact.has(operator)) return true;
  const [x, y] = elements;
  if (rounding.has(operator)) return isSame(result.first, x!.first) && isSame(result.second, x!.second);
  if (operator === "Div")
    return divides(result.first, x!.first, y!.first) && divides(result.second, x!.second, y!.second);
  if (operator === "Relu" || operator === "Abs") return x!.isSize;
  if (operator === "Pow") return isConstant(y!) && Number.isInteger(y!.first) && y!.first >= 0;
  // Sizes that are equal at both settings are the same, while two that differ may be equal in another call.
  if (operator === "Equal" && result.first === 1 && result.second === 1) return true;
  return comparisons.has(operator) && (isBelow(x!, y!) || isBelow(y!, x!));
}

function isConstant({ first, second, isMarked }: Element): boolean {
  return !isMarked && isSame(first, second);
}

function isChosenExactly([condition, yes, no]: readonly Element[]): boolean {
  if (isConstant(condition!)) return !(condition!.first !== 0 ? yes! : no!).isMarked;
  return isConstant(yes!) && isConstant(no!) && isSame(yes!.first, no!.first);
}

/** Whether one is a negative constant and the other is never negative. */
function isBelow(one: Element, other: Element): boolean {
  return isConstant(one) && one.first < 0 && other.isSize;
}

/** Whether a quotient has not been rounded. */
function divides(quotient: number, dividend: number, divisor: number): boolean {
  return !Number.isInteger(quotient) || quotient * divisor === dividend;
}
