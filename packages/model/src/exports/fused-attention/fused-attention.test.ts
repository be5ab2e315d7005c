import * as ort from "onnxruntime-node";
import { describe, expect, it } from "vitest";
import { float, int } from "../../graph/attributes.js";
import { type Attribute, type Graph, GraphBuilder, type Value } from "../../graph/index.js";
import { encodeOnnx } from "../../onnx/index.js";
import { withCache } from "../with-cache.js";

/**
 * Compares each operator in ONNX Runtime, with its own past and present, to its lowered form, with a longer past that
 * is partly masked: a prompt of five tokens, then three, then one.
 */
const steps: readonly number[] = [5, 3, 1];
const [heads, keyValueHeads, lanes, capacity] = [4, 2, 32, 16] as const;
const vocabulary = 64;

interface Case {
  readonly says: string;
  readonly opType: string;
  readonly domain?: string;
  readonly attributes: Readonly<Record<string, Attribute>>;
  readonly keyValueHeads?: number;
  /** Inputs of the operator, from projections of the tokens, `[batch, sequence, heads · lanes]`. */
  readonly inputs: (g: GraphBuilder, parts: Parts) => readonly (Value | undefined)[];
}

interface Parts {
  readonly query: Value;
  readonly key: Value;
  readonly value: Value;
  readonly pastKey: Value;
  readonly pastValue: Value;
  readonly mask: Value;
}

const grouped = { num_heads: int(heads), kv_num_heads: int(keyValueHeads) };

/** Cosines or sines of `pairs` pairs at 32 positions. */
const angles = (g: GraphBuilder, of: (angle: number) => number, pairs: number): Value =>
  g.numbers(
    Array.from({ length: 32 * pairs }, (_, index) => of(Math.floor(index / pairs) / 7 ** (index % pairs))),
    [32, pairs],
  );

function groupedInputs(
  g: GraphBuilder,
  { query, key, value, pastKey, pastValue, mask }: Parts,
  { packed = false, pairs = lanes / 2, sinks = false } = {},
): (Value | undefined)[] {
  const counted = g.sub(g.reduceSum(mask, [1]), g.integer(1));
  const lengths = g.cast(g.reshape(counted, [-1]), "int32");
  const total = g.cast(g.squeeze(g.shape(mask, 1, 2), [0]), "int32");
  const projections = packed ? [g.concat([query, key, value], 2), undefined, undefined] : [query, key, value];
  const sink = sinks ? [undefined, undefined, g.numbers([0.5, -1, 2, 0], [heads])] : [];
  return [
    ...projections,
    pastKey,
    pastValue,
    lengths,
    total,
    angles(g, Math.cos, pairs),
    angles(g, Math.sin, pairs),
    ...sink,
  ];
}

const gqa = { opType: "GroupQueryAttention", domain: "com.microsoft" };

const cases: readonly Case[] = [
  { ...gqa, says: "alone", attributes: grouped, inputs: (g, parts) => groupedInputs(g, parts) },
  {
    ...gqa,
    says: "of packed projections that it rotates",
    attributes: { ...grouped, do_rotary: int(1) },
    inputs: (g, parts) => groupedInputs(g, parts, { packed: true }),
  },
  {
    ...gqa,
    says: "that rotates neighbours, of half the lanes",
    attributes: { ...grouped, do_rotary: int(1), rotary_interleaved: int(1) },
    inputs: (g, parts) => groupedInputs(g, parts, { pairs: lanes / 4 }),
  },
  {
    ...gqa,
    says: "with a scale and capped scores",
    attributes: { ...grouped, scale: float(0.7), softcap: float(2) },
    inputs: (g, parts) => groupedInputs(g, parts),
  },
  {
    ...gqa,
    says: "that looks back four positions",
    attributes: { ...grouped, local_window_size: int(4) },
    inputs: (g, parts) => groupedInputs(g, parts),
  },
  {
    ...gqa,
    says: "with a smooth softmax",
    attributes: { ...grouped, smooth_softmax: int(1) },
    inputs: (g, parts) => groupedInputs(g, parts),
  },
  {
    ...gqa,
    says: "with a sink for each head",
    attributes: grouped,
    inputs: (g, parts) => groupedInputs(g, parts, { sinks: true }),
  },
  {
    opType: "MultiHeadAttention",
    domain: "com.microsoft",
    says: "that is causal, with a bias of its projections",
    attributes: { num_heads: int(heads), unidirectional: int(1) },
    keyValueHeads: heads,
    inputs: (g, { query, key, value, pastKey, pastValue }) => {
      const bias = g.numbers(
        Array.from({ length: 3 * heads * lanes }, (_, i) => Math.sin(i)),
        [3 * heads * lanes],
      );
      return [query, key, value, bias, undefined, undefined, pastKey, pastValue];
    },
  },
  {
    opType: "Attention",
    says: "of opset 23, causal, with grouped heads",
    attributes: {
      q_num_heads: int(heads),
      kv_num_heads: int(keyValueHeads),
      is_causal: int(1),
      softcap: float(3),
    },
    inputs: (_, { query, key, value, pastKey, pastValue }) => [
      query,
      key,
      value,
      undefined,
      pastKey,
      pastValue,
    ],
  },
];

describe.each(cases)("$opType $says", (one) => {
  it("computes the same as ONNX Runtime, with unused rows in its cache", async () => {
    const exported = graphOf(one);
    const lowered = withCache(exported);
    expect(lowered.nodes.map(({ opType }) => opType)).not.toContain(one.opType);
    const [expected, actual] = [await runExported(exported, one), await runLowered(lowered, one)];
    // Sums of tens of float32 terms in another order.
    for (const [at, logits] of actual.entries()) {
      expect(logits).toBeAllclose(expected[at]!, { rtol: 1e-4, atol: 1e-5 });
    }
  });
});

it("refuses an unsupported form, saying what it is", () => {
  const [first] = cases;
  const graph = graphOf({
    ...first!,
    inputs: (g, parts) => [
      ...groupedInputs(g, parts),
      undefined,
      g.numbers(new Array(heads).fill(0), [1, heads, 1, 1]),
    ],
  });
  expect(() => withCache(graph)).toThrow(
    expect.objectContaining({ code: "RR_NO_GENERATE", message: expect.stringContaining("attention_bias") }),
  );
});

it.each(cases.filter(({ opType }) => opType !== gqa.opType))(
  "refuses a $opType that is neither masked nor causal, since rows of a cache cannot see later ones",
  (one) => {
    const { is_causal: _, unidirectional: __, ...attributes } = one.attributes;
    expect(() => withCache(graphOf({ ...one, attributes }))).toThrow(
      expect.objectContaining({ code: "RR_NO_GENERATE", message: expect.stringContaining("neither a mask") }),
    );
  },
);

/** A decoder with only this operator, with the inputs and outputs that exporters write. */
function graphOf({
  opType,
  domain = "",
  attributes,
  inputs,
  keyValueHeads: groups = keyValueHeads,
}: Case): Graph {
  const g = new GraphBuilder();
  const ids = g.input("input_ids", "int64", ["b", "s"]);
  const mask = g.input("attention_mask", "int64", ["b", "total"]);
  const state = (name: string): Value =>
    g.input(`past_key_values.0.${name}`, "float32", ["b", groups, "p", lanes]);
  const project = (seed: number, width: number): Value => {
    const table = Array.from({ length: vocabulary * width }, (_, i) => Math.sin(seed + 1.7 * i));
    return g.gather(g.numbers(table, [vocabulary, width]), ids, 0);
  };
  const parts = {
    query: project(1, heads * lanes),
    key: project(2, groups * lanes),
    value: project(3, groups * lanes),
    pastKey: state("key"),
    pastValue: state("value"),
    mask,
  };
  const [mixed, key, value] = g.nodes(opType, inputs(g, parts), 3, { domain, attributes });
  g.output("logits", mixed!, "float32", ["b", "s", heads * lanes]);
  g.output("present.0.key", key!, "float32", ["b", groups, "total", lanes]);
  g.output("present.0.value", value!, "float32", ["b", groups, "total", lanes]);
  return g.build();
}

const tokens = Array.from(
  { length: steps.reduce((sum, step) => sum + step) },
  (_, i) => (11 * i + 3) % vocabulary,
);
const int64 = (values: readonly number[], dims: readonly number[]): ort.Tensor =>
  new ort.Tensor("int64", BigInt64Array.from(values, BigInt), dims);

/** The logits of each step. */
async function runExported(
  graph: Graph,
  { keyValueHeads: groups = keyValueHeads }: Case,
): Promise<Float32Array[]> {
  const session = await open(graph);
  let past = ["key", "value"].map(
    () => new ort.Tensor("float32", new Float32Array(0), [1, groups, 0, lanes]),
  );
  const results: Float32Array[] = [];
  for (const [start, count] of stepped()) {
    const feeds = {
      input_ids: int64(tokens.slice(start, start + count), [1, count]),
      attention_mask: int64(new Array<number>(start + count).fill(1), [1, start + count]),
      "past_key_values.0.key": past[0]!,
      "past_key_values.0.value": past[1]!,
    };
    const read = Object.entries(feeds).filter(([name]) => session.inputNames.includes(name));
    const outputs = await session.run(Object.fromEntries(read));
    past = [
      outputs["present.0.key"] as ort.TypedTensor<"float32">,
      outputs["present.0.value"] as ort.TypedTensor<"float32">,
    ];
    results.push(outputs.logits!.data as Float32Array);
  }
  await session.release();
  return results;
}

/** The logits of each step of a graph with a cache, whose rows are at the beginning of one with `capacity` rows. */
async function runLowered(
  graph: Graph,
  { keyValueHeads: groups = keyValueHeads }: Case,
): Promise<Float32Array[]> {
  const session = await open(graph);
  const [cache] = graph.caches;
  const size = groups * capacity * lanes;
  const past = [new Float32Array(size), new Float32Array(size)];
  const positions = new Array<number>(capacity).fill(-1);
  const results: Float32Array[] = [];
  for (const [start, count] of stepped()) {
    const feeds: Record<string, ort.Tensor> = {
      input_ids: int64(tokens.slice(start, start + count), [1, count]),
      attention_mask: int64(new Array<number>(count).fill(1), [1, count]),
      position_ids: int64(
        Array.from({ length: count }, (_, i) => start + i),
        [1, count],
      ),
      [cache!.positions]: int64(positions, [1, capacity]),
    };
    for (const [which, state] of cache!.states.entries()) {
      feeds[state.past] = new ort.Tensor("float32", past[which]!, [1, groups, capacity, lanes]);
    }
    const read = Object.entries(feeds).filter(([name]) => session.inputNames.includes(name));
    const outputs = await session.run(Object.fromEntries(read));
    results.push(outputs.logits!.data as Float32Array);
    for (const [which, { present }] of cache!.states.entries()) {
      const rows = outputs[present]!.data as Float32Array;
      for (let head = 0; head < groups; head++) {
        const own = rows.subarray(head * count * lanes, (head + 1) * count * lanes);
        past[which]!.set(own, (head * capacity + start) * lanes);
      }
    }
    for (let i = 0; i < count; i++) positions[start + i] = start + i;
  }
  await session.release();
  return results;
}

function stepped(): [start: number, count: number][] {
  return steps.map((count, index) => [steps.slice(0, index).reduce((sum, one) => sum + one, 0), count]);
}

function open(graph: Graph): Promise<ort.InferenceSession> {
  return ort.InferenceSession.create(encodeOnnx(graph), { intraOpNumThreads: 1, logSeverityLevel: 3 });
}
