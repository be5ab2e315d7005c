import { writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import * as ort from "onnxruntime-node";
import { describe, expect, it, test } from "vitest";
import { expectCode } from "../../../../test/support/coded-error.js";
import { temporaryDirectory } from "../../../../test/support/temporary-directory.js";
import { int } from "../graph/attributes.js";
import type { QuantizedSource, StoredMatrix, Weight } from "../graph/graph.js";
import { encodeOnnx } from "../onnx/index.js";
import { bytesOf } from "./element-types.js";
import { type Interval, type Selection, selectedDims } from "./runs.js";
import { ShardReader } from "./shard-reader.js";

/** Element `[row, column]`, whichever way it is stored: seven bits and a sign, which fit into a bfloat16. */
function element(row: number, column: number): number {
  return (((row * 7919 + column * 104_729) % 251) - 125) / 2 ** (row % 5);
}

function storedMatrix(
  rows: number,
  columns: number,
  transposed: boolean,
  storedAs: "float32" | "bfloat16",
): StoredMatrix {
  const dims = transposed ? ([columns, rows] as const) : ([rows, columns] as const);
  const data = Float32Array.from({ length: rows * columns }, (_, i) => {
    const [major, minor] = [Math.floor(i / dims[1]), i % dims[1]];
    return transposed ? element(minor, major) : element(major, minor);
  });
  const stored = storedAs === "float32" ? data : new Uint16Array(data.buffer).filter((_, i) => i % 2 === 1);
  const file = join(temporaryDirectory(), "weights.bin");
  writeFileSync(file, bytesOf(stored));
  return { dims, transposed, source: { kind: "file", file, offset: 0, storedAs } };
}

function partsOf(matrix: StoredMatrix, bits: 4 | 8): { values: Weight; scales: Weight } {
  const [rows, columns] = matrix.transposed ? [matrix.dims[1], matrix.dims[0]] : matrix.dims;
  const blocks = Math.ceil(columns / 32);
  const source = (part: QuantizedSource["part"]): QuantizedSource => ({
    kind: "quantized",
    part,
    bits,
    matrix,
  });
  return {
    values: { type: "uint8", dims: [rows, blocks, bits * 4], source: source("values") },
    scales: { type: "float32", dims: [rows, blocks], source: source("scales") },
  };
}

function read(reader: ShardReader, weight: Weight, rows?: Interval[], blocks?: Interval[]) {
  const whole = weight.dims.map((size): Interval[] => [[0, size]]);
  const selection: Selection = [rows ?? whole[0]!, blocks ?? whole[1]!, ...whole.slice(2)];
  return reader.read({ weight, selection, dims: selectedDims(selection) });
}

const shapes = [
  ["whole blocks", 6, 96],
  ["a partial last block", 7, 75],
  ["less than one block", 5, 8],
  ["more rows than a tile has", 200, 1100],
  ["rows longer than a tile", 2, 135_000],
] as const;

describe.each([4, 8] as const)("a matrix quantized to %i bits as it is read", (bits) => {
  it.each(shapes)("is within one step of the stored matrix: %s", (_, rows, columns) => {
    using reader = new ShardReader();
    const { values, scales } = partsOf(storedMatrix(rows, columns, false, "float32"), bits);
    const dequantized = dequantize(
      read(reader, values) as Uint8Array,
      read(reader, scales) as Float32Array,
      rows,
      bits,
    );
    // In steps: half of one; more if the number would be above the highest or, with a scale fitted to the whole block,
    // below the lowest.
    let inside = 0;
    let outside = 0;
    for (const { row, column, value, scale } of dequantized) {
      const stored = column < columns ? element(row, column) : 0;
      const error = Math.abs((stored - value) / scale);
      if (Math.abs(stored / scale) <= 2 ** (bits - 1) - 1) inside = Math.max(inside, error);
      else outside = Math.max(outside, error);
    }
    expect(inside).toBeLessThanOrEqual(0.5001);
    expect(outside).toBeLessThanOrEqual(1.25);
  });

  it.each(shapes)("has the same bytes for every storage order and type: %s", (_, rows, columns) => {
    using reader = new ShardReader();
    const [first, ...others] = [
      storedMatrix(rows, columns, false, "float32"),
      storedMatrix(rows, columns, false, "bfloat16"),
      storedMatrix(rows, columns, true, "float32"),
      storedMatrix(rows, columns, true, "bfloat16"),
    ].map((matrix) => {
      const { values, scales } = partsOf(matrix, bits);
      return [read(reader, values), read(reader, scales)].map((data) => Buffer.from(bytesOf(data)));
    });
    for (const other of others) {
      expect(other[0]!.equals(first![0]!)).toBe(true);
      expect(other[1]!.equals(first![1]!)).toBe(true);
    }
  });

  it("has the same bytes in memory provided by the caller, and does not change earlier results", () => {
    using reader = new ShardReader();
    const memory = new Uint8Array(8192).subarray(64);
    // The second matrix is smaller, so the first one's bytes are still after it in the same memory.
    for (const [rows, columns] of [
      [7, 75],
      [5, 40],
    ] as const) {
      const { values, scales } = partsOf(storedMatrix(rows, columns, false, "float32"), bits);
      const own = [values, scales].map((weight) => read(reader, weight));
      for (const [index, weight] of [values, scales].entries()) {
        const { dims } = weight;
        const selection = dims.map((size): Interval[] => [[0, size]]);
        const given = reader.read({ weight, selection, dims }, memory);
        expect([given.buffer, given.byteOffset]).toEqual([memory.buffer, memory.byteOffset]);
        expect(given).toEqual(own[index]);
      }
      expect(own).toEqual([values, scales].map((weight) => read(reader, weight)));
    }
  });

  it("has its own scales, even if another of its shape was read only in part", () => {
    const both = storedMatrix(14, 75, false, "float32");
    const { source } = both;
    if (source.kind !== "file") throw new Error("expected a file");
    const rowsFrom = (row: number): StoredMatrix => ({
      ...both,
      dims: [7, 75],
      source: { ...source, offset: row * 75 * 4 },
    });
    const [one, other] = [partsOf(rowsFrom(0), bits), partsOf(rowsFrom(7), bits)];
    using apart = new ShardReader();
    const scales = read(apart, other.scales);
    using reader = new ShardReader();
    read(reader, one.values);
    expect(read(reader, other.scales)).toEqual(scales);
  });

  it("has the scales of the requested blocks, even if values of others were read before", () => {
    const { values, scales } = partsOf(storedMatrix(7, 113, false, "float32"), bits);
    using apart = new ShardReader();
    const later = read(apart, scales, [[0, 7]], [[2, 4]]);
    using reader = new ShardReader();
    read(reader, values, [[0, 7]], [[0, 2]]);
    expect(read(reader, scales, [[0, 7]], [[2, 4]])).toEqual(later);
  });

  it("is in memory of its own each time it is read", () => {
    const { values, scales } = partsOf(storedMatrix(7, 75, false, "float32"), bits);
    using reader = new ShardReader();
    read(reader, values);
    const [once, again] = [read(reader, scales), read(reader, scales)];
    expect(again).toEqual(once);
    expect(again.buffer).not.toBe(once.buffer);
  });

  it("has the same bytes in every shard of rows and blocks as in the whole", () => {
    using reader = new ShardReader();
    const some = (size: number) =>
      fc
        .subarray(Array.from({ length: size }, (_, i) => i))
        .map((chosen) => chosen.map((i): Interval => [i, i + 1]));
    fc.assert(
      fc.property(fc.boolean(), some(9), some(4), (transposed, rows, blocks) => {
        const { values, scales } = partsOf(storedMatrix(9, 113, transposed, "bfloat16"), bits);
        for (const [weight, size] of [
          [values, bits * 4],
          [scales, 1],
        ] as const) {
          const whole = read(reader, weight);
          const expected = rows.flatMap(([row]) =>
            blocks.flatMap(([block]) => {
              const at = (row * 4 + block) * size;
              return [...whole.slice(at, at + size)];
            }),
          );
          expect([...read(reader, weight, rows, blocks)]).toEqual(expected);
        }
      }),
      { seed: 1, numRuns: 30 },
    );
  });

  it("has the same bytes in a stack as alone", () => {
    using reader = new ShardReader();
    const alone = [storedMatrix(7, 113, true, "bfloat16"), storedMatrix(7, 113, false, "float32")].map(
      (matrix) => partsOf(matrix, bits),
    );
    for (const part of ["values", "scales"] as const) {
      const parts = alone.map((both) => both[part].source as QuantizedSource);
      const { type, dims } = alone[0]![part];
      const weight: Weight = { type, dims: [2, ...dims], source: { kind: "stack", parts } };
      const selection: Interval[][] = [
        [[0, 2]],
        [[1, 3]],
        [[2, 4]],
        ...dims.slice(2).map((size): Interval[] => [[0, size]]),
      ];
      const stacked = reader.read({ weight, selection, dims: selectedDims(selection) });
      const expected = alone.flatMap((both) => [...read(reader, both[part], [[1, 3]], [[2, 4]])]);
      expect([...stacked]).toEqual(expected);
    }
  });

  it("is what ONNX Runtime's MatMulNBits expects", async () => {
    const [rows, columns] = [5, 75];
    using reader = new ShardReader();
    const { values, scales } = partsOf(storedMatrix(rows, columns, true, "bfloat16"), bits);
    const data = { values: read(reader, values) as Uint8Array, scales: read(reader, scales) as Float32Array };
    const session = await ort.InferenceSession.create(
      encodeOnnx({
        opsets: { "": 21, "com.microsoft": 1 },
        inputs: [{ name: "x", type: "float32", dims: [columns, columns] }],
        outputs: [{ name: "y", type: "float32", dims: [columns, rows] }],
        nodes: [
          {
            opType: "MatMulNBits",
            domain: "com.microsoft",
            inputs: ["x", "values", "scales"],
            outputs: ["y"],
            attributes: { K: int(columns), N: int(rows), bits: int(bits), block_size: int(32) },
          },
        ],
        weights: new Map(
          Object.entries({ values, scales }).map(([name, weight]) => [
            name,
            { ...weight, source: { kind: "inline", data: data[name as "values" | "scales"] } },
          ]),
        ),
        caches: [],
      }),
    );
    const identity = Float32Array.from({ length: columns * columns }, (_, i) =>
      i % (columns + 1) === 0 ? 1 : 0,
    );
    const { y } = await session.run({ x: new ort.Tensor("float32", identity, [columns, columns]) });
    await session.release();
    const expected = new Float32Array(columns * rows);
    for (const { row, column, value } of dequantize(data.values, data.scales, rows, bits)) {
      if (column < columns) expected[column * rows + row] = value;
    }
    // Sums of zeros and a single fp32 product.
    expect(y!.data as Float32Array).toBeAllclose(expected, { rtol: 1e-6, atol: 1e-7 });
  });

  it("is the same with the plain kernels", () => {
    using simd = new ShardReader();
    using plain = new ShardReader({ kernels: "plain" });
    for (const weight of Object.values(partsOf(storedMatrix(40, 200, true, "bfloat16"), bits))) {
      expect(read(simd, weight)).toEqual(read(plain, weight));
    }
  });
});

/** Every element of whole blocks, by definition: n · scale. */
function* dequantize(values: Uint8Array, scales: Float32Array, rows: number, bits: 4 | 8) {
  const width = (scales.length / rows) * 32;
  for (let i = 0; i < rows * width; i++) {
    const stored = bits === 8 ? values[i]! : (values[i >> 1]! >> (4 * (i % 2))) & 15;
    const scale = scales[Math.floor(i / 32)]!;
    yield { row: Math.floor(i / width), column: i % width, scale, value: (stored - 2 ** (bits - 1)) * scale };
  }
}

test("refuses to read a part of a block", () => {
  using reader = new ShardReader();
  const { values } = partsOf(storedMatrix(2, 32, false, "float32"), 4);
  const selection: Selection = [[[0, 2]], [[0, 1]], [[0, 8]]];
  expectCode("RR_SHAPE", () => reader.read({ weight: values, selection, dims: [2, 1, 8] }));
});

test("refuses to read a matrix planned from config.json alone", () => {
  using reader = new ShardReader();
  const { scales } = partsOf({ dims: [2, 32], transposed: false, source: { kind: "absent" } }, 4);
  expectCode("RR_MISSING_FILE", () => read(reader, scales));
});
