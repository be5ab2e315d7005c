import type { GraphNode } from "@ringrank/model";
import { type Dim, sizeOf } from "../factors/factor.js";
import { int64Tensor, makeNode } from "./attributes.js";
import type { Localization, Operand } from "./rule.js";

/**
 * A rank with rows `[start, start + n)` of a table looks up the ids among them and gives zero for all others:
 *
 *     here = 0 ≤ ids − start < n;   out = here ? table[here ? ids − start : 0] : 0
 *
 * Negative ids count from the table's end, as in a Gather. An id behind the end is an error on the rank that has the
 * last rows, as it is on one rank: all others owe zero for it.
 *
 * @param indices the ids, input 1 of the operator; its output 0 is what is made
 * @param lookUp the nodes that look ids up, all of which the rank has
 */
export function maskedRows(
  local: Localization,
  indices: Operand,
  rows: Dim,
  lookUp: (ids: string, output: string) => readonly GraphNode[],
): GraphNode[] {
  const { type } = indices;
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
  const found = local.value();
  // One mask for all elements of a row: none for a table of numbers, as of one bias each.
  const rowAxes = local.outputDims(0).length - local.inputDims(1).length;
  const mask = rowAxes === 0 ? here : local.value();
  const zero = scalar(0);
  const hasLastRows = local.start(rows) + local.size(rows)[0] === sizeOf(rows)[0];
  const nothing = local.constant({ type: "float32", dims: [], data: Float32Array.of(0) });
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
