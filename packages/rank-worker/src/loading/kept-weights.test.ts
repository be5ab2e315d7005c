import type { WeightShard } from "@ringrank/model/weights";
import type { ProductStep, QuantizedProductMatrix, RankProgram, Step } from "@ringrank/policy";
import { pino } from "pino";
import { expect, test } from "vitest";
import { MatrixHome } from "../kernels/matrix-home.js";
import { RankKernels } from "../kernels/rank-kernels.js";
import { shard } from "../testing/tiny-program.js";
import { keptWeights, matrixBytes, placeWeights } from "./kept-weights.js";

function product(...matrices: QuantizedProductMatrix[]): ProductStep {
  return {
    kind: "product",
    value: "x",
    width: 64,
    bits: 4,
    outputs: [{ name: "y", matrices }],
    segments: { int8: 0, uint8: 1 },
  };
}

const matrix = (values: string, scales: string, bias?: string): QuantizedProductMatrix => ({
  rows: 8,
  values,
  scales,
  ...(bias === undefined ? {} : { bias }),
});

/** Two float32 matrices of one output. */
const floats: ProductStep = {
  kind: "product",
  value: "x",
  width: 64,
  bits: 32,
  outputs: [
    {
      name: "y",
      matrices: [
        { rows: 8, values: "v", bias: "b" },
        { rows: 8, values: "w", bias: "c" },
      ],
    },
  ],
  segments: { float32: 0 },
};

const normalize: Step = {
  kind: "normalize",
  value: "x",
  output: "y",
  scale: "norm",
  epsilon: 1e-5,
  centered: false,
  added: { rows: ["row", "b"] },
};

function program(
  entries: Readonly<Record<string, readonly Step[]>>,
  sharedWeights: string[] = [],
): RankProgram {
  const segments = [{ onnx: new Uint8Array(), inputs: [], outputs: [], initializers: [], sharedWeights }];
  const entry = (steps: readonly Step[]) => ({ inputs: [], outputs: [], caches: [], steps });
  return {
    rank: 0,
    worldSize: 1,
    entries: Object.fromEntries(Object.entries(entries).map(([name, steps]) => [name, entry(steps)])),
    segments,
    weights: {},
    bytes: 0,
  };
}

test("values, scales and bias of a matrix are placed together, once, even if two entries multiply by it", () => {
  const steps = [product(matrix("v", "s", "b"), matrix("w", "t"))];
  expect(keptWeights(program({ encode: steps, decode: steps })).matrices).toEqual([
    ["v", "s", "b"],
    ["w", "t"],
  ]);
});

test("float32 matrices of one output are placed together, followed by their biases", () => {
  expect(keptWeights(program({ forward: [floats] })).matrices).toEqual([["v", "w", "b", "c"]]);
});

test("matrices that share a weight are placed together", () => {
  const steps = [product(matrix("v", "s", "b")), product(matrix("w", "t")), product(matrix("u", "r", "b"))];
  const { matrices } = keptWeights(program({ forward: steps }));
  expect(matrices.map((names) => names.toSorted())).toEqual([
    ["b", "r", "s", "u", "v"],
    ["t", "w"],
  ]);
});

test("weights that are fed, added or used in norms are placed separately, unless they also belong to a matrix", () => {
  const kept = keptWeights(program({ forward: [normalize, product(matrix("v", "s", "b"))] }, ["fed", "v"]));
  expect(kept).toEqual({ matrices: [["v", "s", "b"]], others: ["fed", "row", "norm"] });
});

test("matrices need the bytes of their weights, each once", () => {
  const file = { kind: "file", file: "nowhere", offset: 0, storedAs: "float32" } as const;
  const weights = {
    v: shard({ type: "uint8", dims: [8, 2, 16], source: file }, [[2, 8], undefined, undefined]),
    s: shard({ type: "float32", dims: [8, 2], source: file }, [[2, 8], undefined]),
    norm: shard({ type: "float32", dims: [64], source: file }, [undefined]),
  };
  const steps = [product(matrix("v", "s")), normalize, product(matrix("v", "s"))];
  expect(matrixBytes({ ...program({ forward: steps }), weights })).toBe(6 * 2 * 16 + 4 * 6 * 2);
});

test("matrices are placed in the kernels' memory, everything else in memory of its own", () => {
  const source = { kind: "file", file: "nowhere", offset: 0, storedAs: "float32" } as const;
  const weights: Readonly<Record<string, WeightShard>> = {
    v: shard({ type: "uint8", dims: [8, 2, 16], source }, [[2, 8], undefined, undefined]),
    s: shard({ type: "float32", dims: [8, 2], source }, [[2, 8], undefined]),
    norm: shard({ type: "float32", dims: [64], source }, [undefined]),
  };
  const own = new RankKernels(1);
  const home = new MatrixHome(own, { log: pino({ level: "silent" }), spareBytes: 0 });
  const places = placeWeights({ matrices: [["v", "s"]], others: ["norm"] }, (name) => weights[name]!, home);
  const [matrix, norm] = places.map((some) => [...some]);
  expect(matrix!.map(([name, data]) => [name, data.length, home.kernelsOf(data)])).toEqual([
    ["v", 6 * 2 * 16, own],
    ["s", 6 * 2, own],
  ]);
  expect(norm!.map(([name, data]) => [name, data.length, home.kernelsOf(data)])).toEqual([
    ["norm", 64, undefined],
  ]);
});
