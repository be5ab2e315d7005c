import type { DataType } from "@ringrank/model";
import type { WeightShard } from "@ringrank/model/weights";
import { describe, expect, it } from "vitest";
import { withNarrowMatrices } from "./narrow-matrices.js";
import type { Entry, FloatProductStep, Segment, Step } from "./program.js";

/** `[4, 8]` in float32, stored in some type. */
const stored = (storedAs: DataType): WeightShard => ({
  weight: { type: "float32", dims: [4, 8], source: { kind: "file", file: "weights", offset: 0, storedAs } },
  selection: [[[0, 4]], [[0, 8]]],
  dims: [4, 8],
});

const product = (...matrices: string[]): FloatProductStep => ({
  kind: "product",
  value: "x",
  width: 8,
  bits: 32,
  outputs: [{ name: "y", matrices: matrices.map((values) => ({ rows: 4, values })) }],
  segments: { float32: 0 },
});

const entry = (...steps: Step[]): Entry => ({ inputs: [], outputs: [], steps, caches: [] });

const segment = (...sharedWeights: string[]): Segment => ({
  onnx: new Uint8Array(),
  inputs: [],
  outputs: [],
  initializers: [],
  sharedWeights,
});

/** The types of all weights, and the names of the products' matrices. */
function narrowed(
  shards: Record<string, WeightShard>,
  steps: readonly FloatProductStep[],
  shared: string[] = [],
) {
  const before = { entries: { forward: entry(...steps) }, segments: [segment(...shared)] };
  const { program, weights } = withNarrowMatrices(before, shards);
  const products = program.entries.forward!.steps as readonly FloatProductStep[];
  return {
    types: Object.fromEntries(Object.entries(weights).map(([name, { weight }]) => [name, weight.type])),
    matrices: products.map(({ outputs }) =>
      outputs.flatMap(({ matrices }) => matrices.map(({ values }) => values)),
    ),
  };
}

describe("a matrix of a product of floats", () => {
  it("stays bfloat16 if it is stored as that", () => {
    const { types, matrices } = narrowed({ a: stored("bfloat16") }, [product("a")]);
    expect(types).toEqual({ a: "bfloat16" });
    expect(matrices).toEqual([["a"]]);
  });

  it.each(["float32", "float16"] as const)("is float32 if it is stored as %s", (type) => {
    expect(narrowed({ a: stored(type) }, [product("a")]).types).toEqual({ a: "float32" });
  });

  it("is float32 beside another one of the step that must be, and so are those of steps that share it", () => {
    const shards = { a: stored("bfloat16"), b: stored("bfloat16"), c: stored("float32") };
    const { types } = narrowed(shards, [product("a", "b"), product("b", "c")]);
    expect(types).toEqual({ a: "float32", b: "float32", c: "float32" });
  });

  it("is a second weight if a segment uses it too, and other matrices save as much", () => {
    const shards = { table: stored("bfloat16"), other: stored("bfloat16") };
    const { types, matrices } = narrowed(shards, [product("table"), product("other")], ["table"]);
    expect(types).toEqual({ table: "float32", table·bfloat16: "bfloat16", other: "bfloat16" });
    expect(matrices).toEqual([["table·bfloat16"], ["other"]]);
  });

  it("has another name as a second weight if there is a weight of that name", () => {
    const shards = {
      table: stored("bfloat16"),
      other: stored("bfloat16"),
      table·bfloat16: stored("float32"),
    };
    const { types, matrices } = narrowed(shards, [product("table"), product("other")], ["table"]);
    expect(types).toMatchObject({ table·bfloat16: "float32", table·bfloat16·: "bfloat16" });
    expect(matrices).toEqual([["table·bfloat16·"], ["other"]]);
  });

  it("is float32 if a segment uses it too, and a second weight would take more bytes than all in float32", () => {
    const { types, matrices } = narrowed({ table: stored("bfloat16") }, [product("table")], ["table"]);
    expect(types).toEqual({ table: "float32" });
    expect(matrices).toEqual([["table"]]);
  });
});

it("a weight that no product uses keeps its type", () => {
  expect(narrowed({ norm: stored("bfloat16") }, []).types).toEqual({ norm: "float32" });
});
