import type { SizePair } from "../factors/factor.js";
import { makeNode } from "../rules/attributes.js";
import type { AttentionOverCache, Segment } from "./program.js";
import { makeSegment } from "./segment.js";

/** A size that is open until the segment runs. */
const open: SizePair = [1, 2];

/** What two layers' heads have in common, if they are alike. */
export type AttentionHeads = Pick<AttentionOverCache, "keyValueHeads" | "group" | "lanes" | "scale">;

/**
 * Attention of a block of one sequence's new rows, by ONNX's own operator
 * (https://onnx.ai/onnx/operators/onnx__Attention.html), for all layers that have heads alike:
 *
 *     query        [1, rows, keyValueHeads · group · lanes]  turned
 *     keys, values [1, columns, keyValueHeads · lanes]       past ones, then those new ones that the block sees; keys turned
 *     mask         [1, 1 or heads, rows, columns]            what is added to the scores
 *     context      [1, rows, keyValueHeads · group · lanes]
 *
 * A block of rows needs no row that comes after it, and its scores stay in the processor's caches, where those of a
 * whole prompt do not. The operator could take past rows as an input of its own, as they lie in a cache; then it would
 * copy them and the new ones to one place, for every block anew.
 */
export function makeAttentionBlock({ keyValueHeads, group, lanes, scale }: AttentionHeads): Segment {
  const width = keyValueHeads * lanes;
  const sizes: Readonly<Record<string, readonly SizePair[]>> = {
    query: [fixed(1), open, fixed(width * group)],
    keys: [fixed(1), open, fixed(width)],
    values: [fixed(1), open, fixed(width)],
    mask: [fixed(1), open, open, open],
    context: [fixed(1), open, fixed(width * group)],
  };
  const node = makeNode("Attention", ["query", "keys", "values", "mask"], "context", {
    q_num_heads: { kind: "int", value: keyValueHeads * group },
    kv_num_heads: { kind: "int", value: keyValueHeads },
    scale: { kind: "float", value: scale },
  });
  return makeSegment([node], new Set(["context"]), {
    opsets: { "": 23 },
    shards: new Map(),
    constants: new Map(),
    values: new Map(Object.entries(sizes).map(([name, dims]) => [name, { type: "float32", dims }])),
    uses: new Map(),
  });
}

function fixed(size: number): SizePair {
  return [size, size];
}
