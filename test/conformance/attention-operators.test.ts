import type { Value } from "@ringrank/model";
import { describeOperators, type OperatorCase } from "../support/operator-cases.js";
import { microsoft, type TestGraph } from "../support/test-graph.js";

/**
 * Attention and rotary embeddings in one operator, between projections by weights, compared with ONNX Runtime unsplit.
 */

const [width, heads, keys, lanes, valueLanes] = [12, 4, 2, 8, 6];

const multiHead = `MultiHeadAttention@${microsoft}`;
const packed = `Attention@${microsoft}`;
const grouped = `GroupQueryAttention@${microsoft}`;
const rotary = `RotaryEmbedding@${microsoft}`;

function hidden(g: TestGraph, length = "sequence"): Value {
  return g.input(`x_${length}`, "float32", ["batch", length, width]);
}

function project(g: TestGraph, x: Value, outputs: number): Value {
  return g.matmul(x, g.parameter([width, outputs]));
}

/** Splits `[batch, sequence, count·size]` into `[batch, count, sequence, size]`. */
function apart(g: TestGraph, x: Value, count: number, size: number): Value {
  return g.transpose(g.reshape(x, [0, 0, count, size]), [0, 2, 1, 3]);
}

/** The output projection, which sums over the heads; its columns may be sharded too. */
function finish(g: TestGraph, mixed: Value, inputs: number): void {
  g.output("y", g.matmul(mixed, g.parameter([inputs, width])), "float32", []);
}

/** The lengths for GroupQueryAttention: `sequence` new rows, all of them present. */
function lengths(g: TestGraph, x: Value, past: Value): Value[] {
  const total = g.add(g.shape(x, 1, 2), g.shape(past, 2, 3));
  const toInt32 = (value: Value): Value => g.apply("Cast", [value], { to: 6 });
  const last = toInt32(g.sub(total, g.integers([1])));
  return [g.expand(last, g.shape(x, 0, 1)), toInt32(g.squeeze(total, [0]))];
}

const cases: readonly OperatorCase[] = [
  {
    operator: multiHead,
    says: "computes heads separately, with a bias, a key mask and a score bias per head",
    build: (g) => {
      const x = hidden(g);
      const [q, k] = [project(g, x, heads * lanes), project(g, x, heads * lanes)];
      const v = project(g, x, heads * valueLanes);
      const bias = g.parameter([heads * (2 * lanes + valueLanes)]);
      const mask = g.input("mask", "int32", ["batch", "sequence"]);
      const scores = g.parameter([1, heads, 3, 3]);
      const y = g.apply(multiHead, [q, k, v, bias, mask, scores], { num_heads: heads });
      finish(g, y, heads * valueLanes);
    },
    inputs: { mask: { type: "int32", dims: [2, 3], data: Int32Array.of(1, 1, 0, 1, 1, 1) } },
    shards: [heads, width],
  },
  {
    operator: multiHead,
    says: "accepts keys and values of another length with heads as an axis",
    build: (g) => {
      const q = project(g, hidden(g), heads * lanes);
      const source = hidden(g, "source");
      const [k, v] = [0, 1].map(() => apart(g, project(g, source, heads * lanes), heads, lanes));
      finish(g, g.apply(multiHead, [q, k, v], { num_heads: heads }), heads * lanes);
    },
    shards: [heads, width],
  },
  {
    operator: multiHead,
    says: "appends to a past that is an unsharded input, so that heads stay whole too",
    build: (g) => {
      const x = hidden(g);
      const [q, k, v] = [0, 1, 2].map(() => project(g, x, heads * lanes));
      const [pastKey, pastValue] = ["past_key", "past_value"].map((name) =>
        g.input(name, "float32", ["batch", heads, "past", lanes]),
      );
      const inputs = [q, k, v, undefined, undefined, undefined, pastKey, pastValue];
      const [y, presentKey] = g.applyAll(multiHead, inputs, 3, { num_heads: heads, unidirectional: 1 });
      finish(g, y!, heads * lanes);
      g.output("present_key", presentKey!, "float32", []);
    },
    shards: [width],
  },
  {
    operator: packed,
    says: "splits its weight and bias into queries, keys and values per head",
    build: (g) => {
      const [weight, bias] = [g.parameter([width, 3 * heads * lanes]), g.parameter([3 * heads * lanes])];
      const mask = g.input("mask", "int32", ["batch", "sequence"]);
      const y = g.apply(packed, [hidden(g), weight, bias, mask], { num_heads: heads });
      finish(g, y, heads * lanes);
    },
    shards: [heads, width],
  },
  ...(["for all", "by column"] as const).map(
    (scales): OperatorCase => ({
      operator: `QAttention@${microsoft}`,
      says: `splits its integer weight into queries, keys and values per head, scales ${scales}`,
      build: (g) => {
        const columns = 3 * heads * lanes;
        const [rounded, scale, zero] = g.applyAll("DynamicQuantizeLinear", [hidden(g)], 3);
        const ofWeight =
          scales === "for all"
            ? [g.numbers([0.01]), g.constant({ type: "int8", dims: [], data: Int8Array.of(3) })]
            : [g.scales([columns], 0.01), g.quantized("int8", [columns], -5, 5)];
        const mask = g.input("mask", "int32", ["batch", "sequence"]);
        const weight = [g.quantized("int8", [width, columns]), g.parameter([columns])];
        const inputs = [rounded, ...weight, scale, ofWeight[0], mask, zero, ofWeight[1]];
        const y = g.apply(`QAttention@${microsoft}`, inputs, { num_heads: heads });
        finish(g, y, heads * lanes);
      },
      shards: [heads, width],
    }),
  ),
  {
    operator: packed,
    says: "accepts values of another size, and a score bias per head",
    build: (g) => {
      const sizes = [heads * lanes, heads * lanes, heads * valueLanes];
      const total = heads * (2 * lanes + valueLanes);
      const [weight, bias] = [g.parameter([width, total]), g.parameter([total])];
      const scores = g.parameter([1, heads, 3, 3]);
      const y = g.apply(packed, [hidden(g), weight, bias, undefined, undefined, scores], {
        num_heads: heads,
        qkv_hidden_sizes: sizes,
        unidirectional: 1,
      });
      finish(g, y, heads * valueLanes);
    },
    shards: [heads, width],
  },
  {
    operator: grouped,
    says: "computes key heads separately, each with the queries that read it",
    build: (g) => {
      const x = hidden(g);
      const [k, v] = [0, 1].map(() => project(g, x, keys * lanes));
      const past = g.numbers([], [2, keys, 0, lanes]);
      const inputs = [project(g, x, heads * lanes), k, v, past, past, ...lengths(g, x, past)];
      const [y] = g.applyAll(grouped, inputs, 3, { num_heads: heads, kv_num_heads: keys });
      finish(g, y!, heads * lanes);
    },
    shards: [keys, heads / keys, width],
  },
  {
    operator: grouped,
    says: "accepts concatenated queries, keys and values, and rotates them itself",
    build: (g) => {
      const x = hidden(g);
      const size = 16;
      const past = g.numbers([], [2, keys, 0, size]);
      const angles = [0, 1].map(() => g.parameter([8, size / 2]));
      const fused = project(g, x, (heads + 2 * keys) * size);
      const inputs = [fused, undefined, undefined, past, past, ...lengths(g, x, past), ...angles];
      const attributes = { num_heads: heads, kv_num_heads: keys, do_rotary: 1 };
      finish(g, g.applyAll(grouped, inputs, 3, attributes)[0]!, heads * size);
    },
    shards: [keys, heads / keys, width],
  },
  {
    operator: "Attention",
    says: "accepts heads as an axis, and a mask per head",
    build: (g) => {
      const x = hidden(g);
      const q = apart(g, project(g, x, heads * lanes), heads, lanes);
      const k = apart(g, project(g, x, keys * lanes), keys, lanes);
      const v = apart(g, project(g, x, keys * valueLanes), keys, valueLanes);
      const y = g.apply("Attention", [q, k, v, g.parameter([heads, 3, 3])]);
      finish(g, g.reshape(g.transpose(y, [0, 2, 1, 3]), [0, 0, heads * valueLanes]), heads * valueLanes);
    },
    shards: [keys, heads / keys, width],
  },
  {
    operator: "Attention",
    says: "accepts heads merged with their lanes, counted by attributes",
    build: (g) => {
      const x = hidden(g);
      const [k, v] = [0, 1].map(() => project(g, x, keys * lanes));
      const y = g.apply("Attention", [project(g, x, heads * lanes), k, v], {
        q_num_heads: heads,
        kv_num_heads: keys,
        is_causal: 1,
      });
      finish(g, y, heads * lanes);
    },
    shards: [keys, heads / keys, width],
  },
  {
    operator: "RotaryEmbedding",
    says: "rotates the lanes of merged heads, counted by an attribute",
    build: (g) => {
      const angles = [0, 1].map(() => g.parameter([5, lanes / 2]));
      const positions = g.input("positions", "int64", ["batch", "sequence"]);
      const q = project(g, hidden(g), heads * lanes);
      const y = g.apply("RotaryEmbedding", [q, ...angles, positions], { num_heads: heads });
      finish(g, y, heads * lanes);
    },
    shards: [heads, width],
  },
  {
    operator: rotary,
    says: "rotates merged heads, whose count follows from the angles",
    build: (g) => {
      const angles = [0, 1].map(() => g.parameter([5, lanes / 2]));
      const positions = g.input("positions", "int64", ["batch", "sequence"]);
      finish(g, g.apply(rotary, [project(g, hidden(g), heads * lanes), positions, ...angles]), heads * lanes);
    },
    shards: [heads, width],
  },
  {
    operator: rotary,
    says: "rotates a part of the lanes of heads counted by an attribute",
    build: (g) => {
      const angles = [0, 1].map(() => g.parameter([5, lanes / 4]));
      const positions = g.input("positions", "int64", ["batch", "sequence"]);
      const x = project(g, hidden(g), heads * lanes);
      const attributes = { num_heads: heads, rotary_embedding_dim: lanes / 2 };
      finish(g, g.apply(rotary, [x, positions, ...angles], attributes), heads * lanes);
    },
    shards: [heads, width],
  },
];

describeOperators(cases);
