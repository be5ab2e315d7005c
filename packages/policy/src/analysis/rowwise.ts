import type { GraphNode } from "@ringrank/model";
import { axisOf } from "../graph/axis.js";
import { operatorName } from "../graph/operator-name.js";
import { transposesSecondAtMost } from "../graph/transposition.js";
import { elementwiseRules } from "../rules/operators/elementwise.js";
import { isStatic, type SizePair } from "../shapes/size-pair.js";

type Dims = readonly SizePair[] | undefined;

/** Values `[batch, sequence, width]` with a given batch and sequence, and any width. */
export class Rows {
  readonly #leading: readonly SizePair[];

  private constructor(leading: readonly SizePair[]) {
    this.#leading = leading;
  }

  /**
   * Undefined unless `dims` are the dimensions of such values, and `flat` are those of the same values as
   * `[batch · sequence, width]`.
   */
  static flattened(dims: Dims, flat: Dims): Rows | undefined {
    if (dims?.length !== 3 || flat?.length !== 2) return undefined;
    const [batch, sequence, width] = dims as [SizePair, SizePair, SizePair];
    const count: SizePair = [batch[0] * sequence[0], batch[1] * sequence[1]];
    const isFlat = areSame(flat, [count, width]) && isStatic(width) && !isStatic(sequence);
    return isFlat ? new Rows([batch, sequence]) : undefined;
  }

  has(dims: Dims): boolean {
    return dims?.length === 3 && areSame(dims.slice(0, 2), this.#leading) && isStatic(dims[2]!);
  }
}

/** What row-by-row operators, apart from elementwise ones, require of a node and its second operand. */
const rowwiseOperators: ReadonlyMap<string, (node: GraphNode, second: Dims) => boolean> = new Map([
  ["MatMul", isMatrix],
  ["com.microsoft::FusedMatMul", (node, second) => isMatrix(node, second) && transposesSecondAtMost(node)],
  ["com.microsoft::MatMulBnb4", () => true],
  ["com.microsoft::MatMulNBits", () => true],
  ["LayerNormalization", isAlongRow(-1)],
  ["RMSNormalization", isAlongRow(-1)],
  ["SimplifiedLayerNormalization", isAlongRow(-1)],
  ["Split", isAlongRow(0)],
]);

/** Whether every row of `node`'s result only depends on the same row of its operands. */
export function isRowwise(node: GraphNode, rows: Rows, dimsOf: (name: string) => Dims): boolean {
  const operands = node.inputs.filter((name) => name !== "").map(dimsOf);
  if (!node.outputs.every((name) => name === "" || rows.has(dimsOf(name)))) return false;
  if (isElementwise(node)) return operands.every((dims) => rows.has(dims) || isSharedByRows(dims));
  const [first, ...others] = operands;
  const isFit = rowwiseOperators.get(operatorName(node))?.(node, others[0]) ?? false;
  return isFit && rows.has(first) && !others.some((dims) => rows.has(dims));
}

/** Whether a node's operands are broadcast to its result. */
export function isElementwise(node: GraphNode): boolean {
  return Object.hasOwn(elementwiseRules, operatorName(node));
}

/** Whether `node` is a product for which {@link isRowwise} may hold, and so takes time to compute. */
export function isProduct(node: GraphNode): boolean {
  return /^MatMul|^FusedMatMul/.test(node.opType);
}

function isMatrix(_: GraphNode, second: Dims): boolean {
  return second?.length === 2;
}

function isAlongRow(byDefault: number): (node: GraphNode) => boolean {
  return (node) => axisOf(node, byDefault, 3) === 2;
}

/** Whether all rows use the same part of an operand, such as a bias. */
function isSharedByRows(dims: Dims): boolean {
  return dims?.slice(0, -1).every((size) => areSame([size], [[1, 1]])) === true;
}

function areSame(some: readonly SizePair[], others: readonly SizePair[]): boolean {
  return some.every(([one, other], axis) => one === others[axis]![0] && other === others[axis]![1]);
}
