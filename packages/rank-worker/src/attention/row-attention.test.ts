import { setFlagsFromString } from "node:v8";
import { encodeOnnx, GraphBuilder, type Value } from "@ringrank/model";
import type { AttentionOverCache } from "@ringrank/policy";
import * as ort from "onnxruntime-node";
import { describe, expect, it } from "vitest";
import { kernelFiles, RankKernels } from "../kernels/rank-kernels.js";
import { tensor } from "../tensors/tensor.js";
import { AttentionKernel } from "./attention-kernel.js";

// The engine of Node 20 knows the fused build's instructions only if it is told to.
if (process.versions.v8.startsWith("11.3.")) setFlagsFromString("--experimental-wasm-relaxed-simd");

interface Case {
  readonly batch: number;
  readonly heads: number;
  readonly group: number;
  readonly lanes: number;
  readonly past: number;
  readonly rotary?: { readonly lanes: number; readonly interleaved: boolean };
  /** Sizes of batch and heads of what is added to the scores. */
  readonly addends?: readonly (readonly [number, number])[];
  /** Whether a head's queries, key and value lie together. */
  readonly byHeads?: boolean;
}

describe.each(["plain", "fused"] as const)(
  "attention of one row by the %s kernel is what ONNX Runtime computes",
  (build) => {
    it.each<[string, Case]>([
      ["with a head for each query", { batch: 1, heads: 3, group: 1, lanes: 64, past: 65 }],
      ["with four queries to a head", { batch: 1, heads: 2, group: 4, lanes: 32, past: 130 }],
      ["with two queries to a head", { batch: 1, heads: 2, group: 2, lanes: 32, past: 66 }],
      ["with groups of eight", { batch: 1, heads: 2, group: 8, lanes: 64, past: 128 }],
      ["with groups of eleven", { batch: 1, heads: 1, group: 11, lanes: 20, past: 70 }],
      ["with groups of seven", { batch: 1, heads: 1, group: 7, lanes: 40, past: 33 }],
      [
        "with groups of six, a mask and a bias for each head",
        {
          batch: 2,
          heads: 2,
          group: 6,
          lanes: 8,
          past: 70,
          addends: [
            [2, 1],
            [1, 12],
          ],
        },
      ],
      ["with nothing kept yet", { batch: 2, heads: 2, group: 5, lanes: 12, past: 0 }],
      [
        "with all lanes turned",
        { batch: 2, heads: 2, group: 2, lanes: 16, past: 9, rotary: { lanes: 16, interleaved: false } },
      ],
      [
        "with some lanes turned in neighbouring pairs",
        { batch: 2, heads: 2, group: 1, lanes: 20, past: 6, rotary: { lanes: 8, interleaved: true } },
      ],
      [
        "with a mask for each sequence and a bias for each head",
        {
          batch: 3,
          heads: 2,
          group: 3,
          lanes: 8,
          past: 21,
          addends: [
            [3, 1],
            [1, 6],
          ],
        },
      ],
      ["with projections cut by heads", { batch: 2, heads: 3, group: 2, lanes: 8, past: 5, byHeads: true }],
    ])("%s", async (_, options) => {
      const inputs = inputsOf(options);
      const expected = await plainly(options, inputs);
      const computed = byKernel(options, inputs, build);
      for (const name of ["context", "presentKeys", "presentValues"]) {
        // Sums of up to some hundred fp32 products, in another order.
        expect(computed[name]).toBeAllclose(expected[name]!, { rtol: 1e-5, atol: 2e-6 });
      }
    });

    it("where the mask hides every row", async () => {
      const options: Case = { batch: 1, heads: 1, group: 6, lanes: 8, past: 70, addends: [[1, 1]] };
      const inputs = { ...inputsOf(options), addend0: new Float32Array(71).fill(-3.4e38) };
      const { context } = byKernel(options, inputs, build);
      expect(context).toBeAllclose((await plainly(options, inputs)).context!, { rtol: 1e-5, atol: 2e-6 });
    });

    it("leaves two new rows of a sequence to a session", () => {
      const options = { batch: 1, heads: 1, group: 1, lanes: 4, past: 3 };
      const inputs = { ...inputsOf(options), joined: new Float32Array(2 * 12) };
      expect(() => byKernel(options, inputs, build)).toThrow("not by the kernel");
    });
  },
);

function inputsOf({
  batch,
  heads,
  group,
  lanes,
  past,
  rotary,
  addends = [],
}: Case): Record<string, Float32Array> {
  const angles = (rotary?.lanes ?? 0) / 2;
  return {
    joined: noise(1, batch * heads * (group + 2) * lanes),
    pastKeys: noise(2, batch * heads * past * lanes),
    pastValues: noise(3, batch * heads * past * lanes),
    cos: noise(4, batch * angles).map(Math.cos),
    sin: noise(4, batch * angles).map(Math.sin),
    ...Object.fromEntries(
      addends.map(([rows, of], at) => [
        `addend${at}`,
        // Every third key of the first is not seen.
        noise(5 + at, rows * of * (past + 1)).map((x, i) => (at === 0 && i % 3 === 1 ? -3.4e38 : x)),
      ]),
    ),
  };
}

/** About ±1, in no simple pattern. */
function noise(seed: number, length: number): Float32Array {
  return Float32Array.from({ length }, (_, i) => Math.sin(seed * 7.13 + i * i * 0.377 + i));
}

/** The operators that architectures are written in. */
async function plainly(
  options: Case,
  inputs: Record<string, Float32Array>,
): Promise<Record<string, Float32Array>> {
  const { batch, heads, group, lanes, past, rotary, addends = [], byHeads = false } = options;
  const g = new GraphBuilder();
  const width = heads * (group + 2) * lanes;
  const dims: Record<string, number[]> = {
    joined: [batch, 1, width],
    pastKeys: [batch, heads, past, lanes],
    pastValues: [batch, heads, past, lanes],
    ...(rotary && { cos: [batch, 1, rotary.lanes / 2], sin: [batch, 1, rotary.lanes / 2] }),
    ...Object.fromEntries(addends.map(([rows, of], at) => [`addend${at}`, [rows, of, 1, past + 1]])),
  };
  const given: Record<string, Value> = {};
  for (const [name, sizes] of Object.entries(dims)) given[name] = g.input(name, "float32", sizes);
  const { joined, pastKeys, pastValues, cos, sin } = given;

  const parts = byHeads
    ? g.split(g.reshape(joined!, [batch, heads, group + 2, lanes]), [group, 1, 1], 2)
    : g.split(joined!, [heads * group * lanes, heads * lanes, heads * lanes], 2);
  const [q, k, v] = parts.map((part, at) =>
    g.reshape(part, [batch, at === 0 ? heads * group : heads, 1, lanes]),
  );
  const turn = (x: Value): Value =>
    rotary === undefined
      ? x
      : g.rotaryEmbedding(x, cos!, sin!, {
          lanes: rotary.lanes === lanes ? undefined : rotary.lanes,
          interleaved: rotary.interleaved,
        });
  const key = turn(k!);
  const query = g.reshape(turn(q!), [batch, heads, group, lanes]);
  const scored = g.concat(
    [g.matmulTransposed(query, pastKeys!, 0.3), g.matmulTransposed(query, key, 0.3)],
    3,
  );
  const scores = addends.reduce(
    (sum, _, at) => g.add(sum, given[`addend${at}`]!),
    g.reshape(scored, [batch, heads * group, 1, past + 1]),
  );
  const shares = g.reshape(g.softmax(scores), [batch, heads, group, past + 1]);
  const value = g.reshape(v!, [batch, heads, 1, lanes]);
  const mixed = g.matmul(shares, g.concat([pastValues!, value], 2));
  g.output("context", mixed, "float32", [batch, heads, group, lanes]);
  g.output("presentKeys", key, "float32", [batch, heads, 1, lanes]);
  g.output("presentValues", value, "float32", [batch, heads, 1, lanes]);

  const session = await ort.InferenceSession.create(encodeOnnx(g.build()));
  const feeds = Object.entries(dims).map(([name, sizes]) => [
    name,
    new ort.Tensor("float32", inputs[name]!, sizes),
  ]);
  const results = await session.run(Object.fromEntries(feeds));
  await session.release();
  return Object.fromEntries(Object.entries(results).map(([name, { data }]) => [name, data as Float32Array]));
}

function byKernel(
  options: Case,
  inputs: Record<string, Float32Array>,
  build: keyof typeof kernelFiles,
): Record<string, Float32Array> {
  const { batch, heads, group, lanes, past, rotary, addends = [], byHeads = false } = options;
  const kernel = new AttentionKernel(new RankKernels(1024, [kernelFiles[build]]), 1);
  const rowWidth = heads * (group + 2) * lanes;
  const keyAt = byHeads ? group * lanes : heads * group * lanes;
  const part = (offset: number, own: number) => ({
    value: "joined",
    rowWidth,
    offset,
    headStride: byHeads ? (group + 2) * lanes : own,
  });
  const plan: AttentionOverCache = {
    query: part(0, group * lanes),
    key: part(keyAt, lanes),
    value: part(keyAt + (byHeads ? lanes : heads * lanes), lanes),
    pastKeys: "pastKeys",
    pastValues: "pastValues",
    presentKeys: "presentKeys",
    presentValues: "presentValues",
    context: "context",
    keyValueHeads: heads,
    group,
    lanes,
    scale: Math.fround(0.3),
    addends: addends.map((_, at) => `addend${at}`),
    ...(rotary && { rotary: { ...rotary, cos: "cos", sin: "sin" } }),
  };
  const names = ["joined", "pastKeys", "pastValues", "cos", "sin", ...plan.addends];
  const places = [...names, "presentKeys", "presentValues", "context"];
  const cached = (name: string) => {
    const floats = kernel.memory.floats(inputs[name]!.length)!;
    floats.set(inputs[name]!);
    return tensor("float32", floats, [batch, heads, past, lanes]);
  };
  const table = names.map((name) => {
    if (name.startsWith("past")) return cached(name);
    const addend = addends[plan.addends.indexOf(name)];
    const dims = addend === undefined ? [inputs[name]!.length] : [...addend, 1, past + 1];
    return tensor("float32", inputs[name]!, dims);
  });
  const attention = kernel.rowAttention(plan, (name) => places.indexOf(name))!;
  if (!attention.run(table)) throw new Error("not by the kernel");
  return Object.fromEntries(
    ["context", "presentKeys", "presentValues"].map((name) => [
      name,
      table[places.indexOf(name)]!.data as Float32Array,
    ]),
  );
}
