/**
 * A decoder of one layer, split over ranks by hand: heads and vocabulary dealt out, one all-reduce after attention.
 *
 * ```
 *  ids ─embed─▶ x ─attention (own heads)─▶ partial ─all-reduce─▶ ⊕ x ─head (own vocabulary)─▶ logits
 * ```
 */
import type { Cache, Weight } from "@ringrank/model";
import type { Interval, WeightShard } from "@ringrank/model/weights";
import type { Entry, LocalValue, RankProgram, Segment, Step } from "@ringrank/policy";
import type { TinyNode } from "./tiny-onnx.js";
import { deal, f32, i64, int64, segment, shard, size, symbol, weight } from "./tiny-program.js";

const hidden = 8;
const lanes = 4;
export const vocabulary = 23;
const maximumPositions = 512;

interface TinyDecoderOptions {
  readonly heads: number;
  readonly worldSize: number;
  readonly window?: number;
  /** Heads of each rank; default: dealt near-evenly. */
  readonly headIntervals?: readonly Interval[];
}

/** One program per rank. In any world size, the ranks hold parts of the same weights. */
export function tinyDecoder({ heads, worldSize, window, headIntervals }: TinyDecoderOptions): RankProgram[] {
  const byHead = headIntervals ?? deal(heads, worldSize);
  const byVocabulary = deal(vocabulary, worldSize).map((interval): Interval[] =>
    interval[0] === interval[1] ? [] : [interval],
  );
  const width = heads * lanes;
  const full: Record<string, Weight> = {
    tokens: weight(1, [vocabulary, hidden]),
    places: weight(2, [maximumPositions, hidden]),
    wq: weight(3, [hidden, width]),
    wk: weight(4, [hidden, width]),
    wv: weight(5, [hidden, width]),
    wo: weight(6, [width, hidden]),
    head: weight(7, [hidden, vocabulary]),
  };
  return byHead.map(([firstHead, endHead], rank) => {
    const own = endHead - firstHead;
    const columns: Interval = [firstHead * lanes, endHead * lanes];
    const [words] = byVocabulary[rank]!;
    const weights: Record<string, WeightShard> = {
      tokens: shard(full.tokens!, []),
      places: shard(full.places!, []),
      ...(own === 0
        ? {}
        : {
            wq: shard(full.wq!, [undefined, columns]),
            wk: shard(full.wk!, [undefined, columns]),
            wv: shard(full.wv!, [undefined, columns]),
            wo: shard(full.wo!, [columns]),
          }),
      ...(words === undefined ? {} : { head: shard(full.head!, [undefined, words]) }),
    };
    const segments = [
      embedSegment(),
      ...(own === 0 ? [] : [attentionSegment(own, window)]),
      ...(words === undefined ? [] : [headSegment(words[1] - words[0])]),
    ];
    const steps: Step[] = [
      { kind: "run", segment: 0 },
      own === 0
        ? { kind: "zeros", value: "partial", dims: [symbol("batch"), symbol("sequence"), size(hidden)] }
        : { kind: "run", segment: 1 },
      { kind: "allReduce", value: "partial" },
      ...(words === undefined ? [] : [{ kind: "run", segment: segments.length - 1 } as const]),
    ];
    const cache: Cache = {
      positions: "past_positions",
      ...(window === undefined ? {} : { window }),
      states: [
        { past: "past_k", present: "present_k", axis: 2 },
        { past: "past_v", present: "present_v", axis: 2 },
      ],
    };
    const forward: Entry = {
      inputs: [
        int64("input_ids", ["batch", "sequence"]),
        int64("attention_mask", ["batch", "sequence"]),
        int64("position_ids", ["batch", "sequence"]),
        int64("logit_rows", ["rows"]),
        int64("past_positions", ["batch", "past"]),
        ...(own === 0 ? [] : ["past_k", "past_v"].map((name) => state(name, own, "past"))),
      ],
      outputs: [
        {
          name: "logits",
          type: "float32",
          dims: [symbol("rows"), size(words === undefined ? 0 : words[1] - words[0])],
          shard: { axis: 1, size: vocabulary, intervals: byVocabulary },
        },
        ...(own === 0 ? [] : ["present_k", "present_v"].map((name) => state(name, own, "sequence"))),
      ],
      steps,
      cacheSteps: 2,
      caches: [cache],
    };
    const bytes = Object.values(weights).reduce((sum, { dims }) => sum + dims.reduce((a, b) => a * b, 4), 0);
    return { rank, worldSize, entries: { forward }, segments, weights, bytes };
  });
}

function embedSegment(): Segment {
  return segment({
    inputs: [i64("input_ids", "batch", "sequence"), i64("position_ids", "batch", "sequence")],
    outputs: [f32("x", "batch", "sequence", hidden)],
    weights: [f32("tokens", vocabulary, hidden), f32("places", maximumPositions, hidden)],
    nodes: [
      { op: "Gather", inputs: ["tokens", "input_ids"], outputs: ["word"] },
      { op: "Gather", inputs: ["places", "position_ids"], outputs: ["place"] },
      { op: "Add", inputs: ["word", "place"], outputs: ["x"] },
    ],
  });
}

function attentionSegment(heads: number, window = 1_000_000): Segment {
  const split = (from: string, matrix: string, to: string): TinyNode[] => [
    { op: "MatMul", inputs: [from, matrix], outputs: [`${to}_flat`] },
    { op: "Reshape", inputs: [`${to}_flat`, "split"], outputs: [`${to}_rows`] },
    { op: "Transpose", inputs: [`${to}_rows`], outputs: [to], attributes: { perm: [0, 2, 1, 3] } },
  ];
  /** Scores of the queries and some keys; −10⁹ where `allowed` is false. */
  const score = (keys: string, allowed: string, to: string): TinyNode[] => [
    { op: "Transpose", inputs: [keys], outputs: [`${to}_keys`], attributes: { perm: [0, 1, 3, 2] } },
    { op: "MatMul", inputs: ["q", `${to}_keys`], outputs: [`${to}_raw`] },
    { op: "Where", inputs: [allowed, `${to}_raw`, "never"], outputs: [to] },
  ];
  /** 0 ≤ query position − key position < window. */
  const within = (keyPositions: string, to: string): TinyNode[] => [
    { op: "Unsqueeze", inputs: [keyPositions, "key_axes"], outputs: [`${to}_column`] },
    { op: "Sub", inputs: ["query_positions", `${to}_column`], outputs: [`${to}_age`] },
    { op: "Greater", inputs: ["window", `${to}_age`], outputs: [`${to}_recent`] },
    { op: "GreaterOrEqual", inputs: [`${to}_age`, "zero"], outputs: [`${to}_causal`] },
    { op: "And", inputs: [`${to}_recent`, `${to}_causal`], outputs: [`${to}_within`] },
  ];
  return segment({
    inputs: [
      f32("x", "batch", "sequence", hidden),
      i64("attention_mask", "batch", "sequence"),
      i64("position_ids", "batch", "sequence"),
      i64("past_positions", "batch", "past"),
      f32("past_k", "batch", heads, "past", lanes),
      f32("past_v", "batch", heads, "past", lanes),
    ],
    outputs: [
      f32("partial", "batch", "sequence", hidden),
      f32("present_k", "batch", heads, "sequence", lanes),
      f32("present_v", "batch", heads, "sequence", lanes),
    ],
    weights: [
      ...["wq", "wk", "wv"].map((name) => f32(name, hidden, heads * lanes)),
      f32("wo", heads * lanes, hidden),
    ],
    constants: {
      split: [0, 0, heads, lanes],
      join: [0, 0, heads * lanes],
      query_axes: [1, 3],
      key_axes: [1, 2],
      zero: 0,
      window,
      never_integer: -1_000_000_000,
    },
    nodes: [
      ...split("x", "wq", "q"),
      ...split("x", "wk", "present_k"),
      ...split("x", "wv", "present_v"),
      { op: "Cast", inputs: ["never_integer"], outputs: ["never"], attributes: { to: 1 } },
      { op: "Unsqueeze", inputs: ["position_ids", "query_axes"], outputs: ["query_positions"] },
      ...within("past_positions", "past"),
      ...within("position_ids", "new"),
      { op: "GreaterOrEqual", inputs: ["past_column", "zero"], outputs: ["past_there"] },
      { op: "And", inputs: ["past_within", "past_there"], outputs: ["past_allowed"] },
      { op: "Unsqueeze", inputs: ["attention_mask", "key_axes"], outputs: ["mask"] },
      { op: "Greater", inputs: ["mask", "zero"], outputs: ["new_there"] },
      { op: "And", inputs: ["new_within", "new_there"], outputs: ["new_allowed"] },
      ...score("past_k", "past_allowed", "past_scores"),
      ...score("present_k", "new_allowed", "new_scores"),
      { op: "Concat", inputs: ["past_scores", "new_scores"], outputs: ["scores"], attributes: { axis: 3 } },
      { op: "Softmax", inputs: ["scores"], outputs: ["shares"], attributes: { axis: 3 } },
      { op: "Concat", inputs: ["past_v", "present_v"], outputs: ["values"], attributes: { axis: 2 } },
      { op: "MatMul", inputs: ["shares", "values"], outputs: ["mixed"] },
      { op: "Transpose", inputs: ["mixed"], outputs: ["mixed_rows"], attributes: { perm: [0, 2, 1, 3] } },
      { op: "Reshape", inputs: ["mixed_rows", "join"], outputs: ["joined"] },
      { op: "MatMul", inputs: ["joined", "wo"], outputs: ["partial"] },
    ],
  });
}

function headSegment(words: number): Segment {
  return segment({
    inputs: [
      f32("x", "batch", "sequence", hidden),
      f32("partial", "batch", "sequence", hidden),
      i64("logit_rows", "rows"),
    ],
    outputs: [f32("logits", "rows", words)],
    weights: [f32("head", hidden, words)],
    constants: { flat: [-1, hidden] },
    nodes: [
      { op: "Add", inputs: ["x", "partial"], outputs: ["y"] },
      { op: "Reshape", inputs: ["y", "flat"], outputs: ["flattened"] },
      { op: "Gather", inputs: ["flattened", "logit_rows"], outputs: ["chosen"], attributes: { axis: 0 } },
      { op: "MatMul", inputs: ["chosen", "head"], outputs: ["logits"] },
    ],
  });
}

const state = (name: string, heads: number, rows: string): LocalValue => ({
  name,
  type: "float32",
  dims: [symbol("batch"), size(heads), symbol(rows), size(lanes)],
});
