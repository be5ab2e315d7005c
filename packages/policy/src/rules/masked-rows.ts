import type { GraphNode } from "@ringrank/model";
import { allocate } from "@ringrank/model/weights";
import { type Dim, sizeOf } from "../factors/factor.js";
import { int64Tensor } from "../graph/constants.js";
import { makeNode } from "../graph/make-node.js";
import { onShare } from "./on-share.js";
import type { Localization, Operator } from "./rule.js";

/**
 * A rank with rows `[start, start + n)` of a table looks up those ids that are among them, and returns zero for all
 * others:
 *
 *     here = 0 ≤ ids − start < n;   out = here ? table[here ? ids − start : 0] : 0
 *
 * Negative ids count from the table's end, as in a Gather. An id beyond the end is an error on the rank that has the
 * last rows, as on a single rank; all other ranks owe zero for it.
 *
 * @param operator its input 1 has the ids, its output 0 is computed here
 * @param lookUp the nodes that look up ids that the rank has
 */
export function maskedRows(
  local: Localization,
  { inputs, outputs }: Operator,
  rows: Dim,
  lookUp: (ids: string, output: string) => readonly GraphNode[],
): GraphNode[] {
  const { type } = inputs[1]!;
  const scalar = (value: number): string =>
    local.constant(
      type === "int32"
        ? { type, dims: [], data: Int32Array.of(value) }
        : { type: "int64", dims: [], data: BigInt64Array.of(BigInt(value)) },
    );
  const ids = (): string => local.value({ type, dims: local.inputDims(1) });
  const condition = (): string => local.value({ type: "bool", dims: local.inputDims(1) });
  const [fromEnd, counted, shifted, safe] = [ids(), ids(), ids(), ids()];
  const [isNegative, notBefore, notAfter, here] = [condition(), condition(), condition(), condition()];
  const made = outputs[0]!.type;
  const found = local.value({ type: made, dims: local.outputDims(0) });
  // One mask for all elements of a row; a table of scalars, such as one bias per id, has no row axes.
  const rowAxes = local.outputDims(0).length - local.inputDims(1).length;
  const ones: Dim[] = new Array(rowAxes).fill([]);
  const mask = rowAxes === 0 ? here : local.value({ type: "bool", dims: [...local.inputDims(1), ...ones] });
  const zero = scalar(0);
  const hasLastRows = local.start(rows) + local.size(rows)[0] === sizeOf(rows)[0];
  // Zero has only zero bits, in any type.
  const nothing = local.constant({ type: made, dims: [], data: allocate(made, 1) });
  return [
    makeNode("Less", [local.input(1), zero], isNegative),
    makeNode("Add", [local.input(1), scalar(sizeOf(rows)[0])], fromEnd),
    makeNode("Where", [isNegative, fromEnd, local.input(1)], counted),
    makeNode("Sub", [counted, scalar(local.start(rows))], shifted),
    makeNode("GreaterOrEqual", [shifted, zero], hasLastRows ? here : notBefore),
    ...(hasLastRows
      ? []
      : [
          makeNode("Less", [shifted, scalar(local.size(rows)[0])], notAfter),
          makeNode("And", [notBefore, notAfter], here),
        ]),
    makeNode("Where", [here, shifted, zero], safe),
    ...lookUp(safe, found),
    ...(rowAxes === 0
      ? []
      : [makeNode("Unsqueeze", [here, local.constant(int64Tensor(lastAxes(rowAxes)))], mask)]),
    makeNode("Where", [mask, found, nothing], local.output(0)),
  ];
}

/** Counted from the end. */
function lastAxes(count: number): number[] {
  return Array.from({ length: count }, (_, index) => -1 - index);
}

/** A lookup of the rows that a rank has, in a table that may have further operands per row; zero for all other rows. */
export function maskedLookup(operator: Operator, local: Localization, rows: Dim): readonly GraphNode[] {
  const node = onShare(operator, local);
  return maskedRows(local, operator, rows, (ids, output) => [
    { ...node, inputs: node.inputs.with(1, ids), outputs: [output] },
  ]);
}
