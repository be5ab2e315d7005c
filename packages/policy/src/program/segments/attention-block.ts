import { float, type GraphNode, int, ints } from "@ringrank/model";
import { inlineWeight, int64Tensor } from "../../graph/constants.js";
import { makeNode } from "../../graph/make-node.js";
import type { SizePair } from "../../shapes/size-pair.js";
import type { AttentionOverCache, Segment } from "../program.js";
import { makeSegment, noWeights } from "./segment.js";

/** A size that is unknown until the segment runs. */
const open: SizePair = [1, 2];

/** The properties that the heads of two layers share if they are alike. */
export type AttentionHeads = Pick<
  AttentionOverCache,
  "keyValueHeads" | "group" | "lanes" | "scale" | "biasByHead"
>;

/**
 * Attention of a block of one sequence's new rows, for all layers with the same heads:
 *
 *     query        [1, rows, keyValueHeads · group · lanes]  rotated
 *     keys, values [1, columns, keyValueHeads · lanes]       past rows, then new ones that the block sees; keys rotated
 *     mask         [1, 1 or heads, rows, columns]            what is added to the scores
 *     context      [1, rows, keyValueHeads · group · lanes]
 *
 * A block of rows needs no later rows. Its scores stay in the processor's caches, unlike those of a whole prompt. Heads
 * without a bias of their own are computed by one operator, others by an operator for each step.
 */
export function makeAttentionBlock(heads: AttentionHeads): Segment {
  const { keyValueHeads, group, lanes, biasByHead } = heads;
  const width = keyValueHeads * lanes;
  const sizes: Readonly<Record<string, readonly SizePair[]>> = {
    query: [fixed(1), open, fixed(width * group)],
    keys: [fixed(1), open, fixed(width)],
    values: [fixed(1), open, fixed(width)],
    mask: [fixed(1), open, open, open],
    context: [fixed(1), open, fixed(width * group)],
  };
  const { nodes, constants } = biasByHead ? withoutSmallShares(heads) : asOneOperator(heads);
  return makeSegment(nodes, new Set(["context"]), {
    ...noWeights,
    opsets: { "": 23, "com.microsoft": 1 },
    constants: new Map(
      Object.entries(constants).map(([name, numbers]) => [name, inlineWeight(int64Tensor(numbers))]),
    ),
    values: new Map(Object.entries(sizes).map(([name, dims]) => [name, { type: "float32", dims }])),
  });
}

interface Block {
  readonly nodes: readonly GraphNode[];
  /** By name. */
  readonly constants: Readonly<Record<string, readonly number[]>>;
}

/**
 * ONNX's own operator (https://onnx.ai/onnx/operators/onnx__Attention.html). It could take past rows as an input of its
 * own, as they are in a cache. But then it would copy them and the new ones to one place for every block.
 */
function asOneOperator({ keyValueHeads, group, scale }: AttentionHeads): Block {
  const node = makeNode("Attention", ["query", "keys", "values", "mask"], "context", {
    q_num_heads: int(keyValueHeads * group),
    kv_num_heads: int(keyValueHeads),
    scale: float(scale),
  });
  return { nodes: [node], constants: {} };
}

/**
 * Far too small to change a float32 sum whose largest term is at least 1 divided by the number of columns, and far
 * above the smallest normal number, 2⁻¹²⁶.
 */
const smallShare = 1e-30;

/**
 * The same with an operator for each step, so that attention weights below {@link smallShare} are set to 0 before they
 * are multiplied with values. A bias that grows with the distance (ALiBi, https://arxiv.org/abs/2108.12409) leaves
 * subnormal weights in every row once it has reached 80 or 90, and processors take about ten times as long to multiply
 * those.
 */
function withoutSmallShares({ keyValueHeads, group, lanes, scale }: AttentionHeads): Block {
  const reshape = (name: string, to: string): GraphNode => makeNode("Reshape", [name, to], `${name} by head`);
  // Products read rows in place: the operator gets the heads, which are between rows and lanes, as the leading axis.
  const product = (a: string, b: string, output: string, attributes: GraphNode["attributes"]): GraphNode =>
    makeNode("com.microsoft::FusedMatMul", [a, b], output, { transBatchB: int(1), ...attributes });
  const nodes = [
    reshape("query", "query sizes"),
    reshape("keys", "row sizes"),
    reshape("values", "row sizes"),
    reshape("mask", "mask sizes"),
    product("query by head", "keys by head", "products", {
      alpha: float(scale),
      transB: int(1),
      transBatchA: int(1),
    }),
    makeNode("Add", ["products", "mask by head"], "scores"),
    makeNode("Softmax", ["scores"], "shares", { axis: int(-1) }),
    makeNode("ThresholdedRelu", ["shares"], "large shares", { alpha: float(smallShare) }),
    product("large shares", "values by head", "mixed values", {}),
    // The operator also turns NaN into 0. If a row of a softmax has a NaN, all its columns are NaN, so the first one
    // shows it.
    makeNode("Gather", ["shares", "first column"], "first shares", { axis: int(-1) }),
    makeNode("Sub", ["first shares", "first shares"], "zero or NaN"),
    makeNode("Add", ["mixed values", "zero or NaN"], "mixed"),
    makeNode("Transpose", ["mixed"], "rows", { perm: ints([2, 0, 1, 3]) }),
    makeNode("Reshape", ["rows", "context sizes"], "context"),
  ];
  const constants = {
    "query sizes": [-1, keyValueHeads, group, lanes],
    "row sizes": [-1, keyValueHeads, 1, lanes],
    "mask sizes": [keyValueHeads, group, 0, 0],
    "first column": [0],
    "context sizes": [1, -1, keyValueHeads * group * lanes],
  };
  return { nodes, constants };
}

function fixed(size: number): SizePair {
  return [size, size];
}
