/**
 * An encoder–decoder of one layer, split over ranks by heads. The encoder's keys are its words' vectors, and serve as
 * values too; what the decoder has read so far is a sum, so that rows of either cache which should not count show.
 *
 * ```
 *  encode:  source ids ─keys (own heads)─▶ cross
 *  decode:  ids ─queries (own heads)─▶ attention over `encoded`, ⊕ sum of past and new queries
 *              ─▶ partial ─all-reduce─▶ head ─▶ logits
 * ```
 */
import type { Cache, Weight } from "@ringrank/model";
import type { WeightShard } from "@ringrank/model/weights";
import type { Entry, LocalValue, RankProgram, Segment } from "@ringrank/policy";
import type { TinyNode } from "./tiny-onnx.js";
import { deal, f32, i64, int64, segment, shard, size, symbol, weight } from "./tiny-program.js";

const heads = 2;
const lanes = 4;
const hidden = 6;
export const vocabulary = 19;

const full: Record<string, Weight> = {
  sources: weight(1, [vocabulary, heads * lanes]),
  targets: weight(2, [vocabulary, heads * lanes]),
  out: weight(3, [heads * lanes, hidden]),
  head: weight(4, [hidden, vocabulary]),
};

/** One program per rank; a third rank has no heads. */
export function tinyTranslator(worldSize: number): RankProgram[] {
  return deal(heads, worldSize).map(([first, end], rank): RankProgram => {
    const own = end - first;
    const columns = [first * lanes, end * lanes] as const;
    const attention: Record<string, WeightShard> = {
      sources: shard(full.sources!, [undefined, columns]),
      targets: shard(full.targets!, [undefined, columns]),
      out: shard(full.out!, [columns]),
    };
    const weights = { ...(own === 0 ? {} : attention), head: shard(full.head!, []) };
    return {
      rank,
      worldSize,
      entries: { encode: encodeEntry(own), decode: decodeEntry(own) },
      segments: [headSegment(), ...(own === 0 ? [] : [encodeSegment(own), attentionSegment(own)])],
      weights,
      bytes: Object.values(weights).reduce((sum, { dims }) => sum + dims.reduce((a, b) => a * b, 4), 0),
    };
  });
}

function encodeEntry(own: number): Entry {
  return {
    inputs: ["input_ids", "attention_mask"].map((name) => int64(name, ["batch", "source"])),
    outputs: own === 0 ? [] : [state("cross", own, "source")],
    steps: own === 0 ? [] : [{ kind: "run", segment: 1 }],
    caches: [],
  };
}

function decodeEntry(own: number): Entry {
  const caches: Cache[] = [
    { positions: "past_positions", states: [{ past: "past", present: "present", axis: 2 }] },
    {
      positions: "encoder_positions",
      filledBy: "encode",
      states: own === 0 ? [] : [{ past: "encoded", present: "cross", axis: 2 }],
    },
  ];
  return {
    inputs: [
      int64("decoder_input_ids", ["batch", "sequence"]),
      int64("decoder_attention_mask", ["batch", "sequence"]),
      int64("logit_rows", ["rows"]),
      int64("past_positions", ["batch", "past"]),
      int64("encoder_positions", ["batch", "encoded"]),
      ...(own === 0 ? [] : [state("past", own, "past"), state("encoded", own, "encoded")]),
    ],
    outputs: [
      { name: "logits", type: "float32", dims: [symbol("rows"), size(vocabulary)] },
      ...(own === 0 ? [] : [state("present", own, "sequence")]),
    ],
    steps: [
      own === 0
        ? { kind: "zeros", value: "partial", dims: [symbol("batch"), symbol("sequence"), size(hidden)] }
        : { kind: "run", segment: 2 },
      { kind: "allReduce", value: "partial" },
      { kind: "run", segment: 0 },
    ],
    caches,
  };
}

/** `[batch, length, own · lanes]` of a table's rows as `[batch, own, length, lanes]`. */
const byHead = (table: string, ids: string, to: string): TinyNode[] => [
  { op: "Gather", inputs: [table, ids], outputs: [`${to}_words`] },
  { op: "Reshape", inputs: [`${to}_words`, "split"], outputs: [`${to}_rows`] },
  { op: "Transpose", inputs: [`${to}_rows`], outputs: [to], attributes: { perm: [0, 2, 1, 3] } },
];

function encodeSegment(own: number): Segment {
  return segment({
    inputs: [i64("input_ids", "batch", "source")],
    outputs: [f32("cross", "batch", own, "source", lanes)],
    weights: [f32("sources", vocabulary, own * lanes)],
    constants: { split: [0, 0, own, lanes] },
    nodes: byHead("sources", "input_ids", "cross"),
  });
}

function attentionSegment(own: number): Segment {
  return segment({
    inputs: [
      i64("decoder_input_ids", "batch", "sequence"),
      i64("encoder_positions", "batch", "encoded"),
      f32("past", "batch", own, "past", lanes),
      f32("encoded", "batch", own, "encoded", lanes),
    ],
    outputs: [f32("present", "batch", own, "sequence", lanes), f32("partial", "batch", "sequence", hidden)],
    weights: [f32("targets", vocabulary, own * lanes), f32("out", own * lanes, hidden)],
    constants: {
      split: [0, 0, own, lanes],
      join: [0, 0, own * lanes],
      key_axes: [1, 2],
      rows: [2],
      axis: 2,
      zero: 0,
      never_integer: -1_000_000_000,
    },
    nodes: [
      ...byHead("targets", "decoder_input_ids", "present"),
      { op: "Cast", inputs: ["never_integer"], outputs: ["never"], attributes: { to: 1 } },
      { op: "Unsqueeze", inputs: ["encoder_positions", "key_axes"], outputs: ["places"] },
      { op: "GreaterOrEqual", inputs: ["places", "zero"], outputs: ["there"] },
      { op: "Transpose", inputs: ["encoded"], outputs: ["keys"], attributes: { perm: [0, 1, 3, 2] } },
      { op: "MatMul", inputs: ["present", "keys"], outputs: ["raw"] },
      { op: "Where", inputs: ["there", "raw", "never"], outputs: ["scores"] },
      { op: "Softmax", inputs: ["scores"], outputs: ["shares"], attributes: { axis: 3 } },
      { op: "MatMul", inputs: ["shares", "encoded"], outputs: ["read"] },
      { op: "ReduceSum", inputs: ["past", "rows"], outputs: ["before"], attributes: { keepdims: 1 } },
      { op: "CumSum", inputs: ["present", "axis"], outputs: ["since"] },
      { op: "Add", inputs: ["before", "since"], outputs: ["said"] },
      { op: "Add", inputs: ["read", "said"], outputs: ["mixed"] },
      { op: "Transpose", inputs: ["mixed"], outputs: ["mixed_rows"], attributes: { perm: [0, 2, 1, 3] } },
      { op: "Reshape", inputs: ["mixed_rows", "join"], outputs: ["joined"] },
      { op: "MatMul", inputs: ["joined", "out"], outputs: ["partial"] },
    ],
  });
}

function headSegment(): Segment {
  return segment({
    inputs: [f32("partial", "batch", "sequence", hidden), i64("logit_rows", "rows")],
    outputs: [f32("logits", "rows", vocabulary)],
    weights: [f32("head", hidden, vocabulary)],
    constants: { flat: [-1, hidden] },
    nodes: [
      { op: "Reshape", inputs: ["partial", "flat"], outputs: ["flattened"] },
      { op: "Gather", inputs: ["flattened", "logit_rows"], outputs: ["chosen"], attributes: { axis: 0 } },
      { op: "MatMul", inputs: ["chosen", "head"], outputs: ["logits"] },
    ],
  });
}

function state(name: string, own: number, rows: string): LocalValue {
  return { name, type: "float32", dims: [symbol("batch"), size(own), symbol(rows), size(lanes)] };
}
