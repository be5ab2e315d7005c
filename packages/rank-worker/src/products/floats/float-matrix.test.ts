import { describe, expect, it } from "vitest";
import { type FloatMatrix, joined } from "./float-matrix.js";

const width = 4;
const memory = new ArrayBuffer(1024);
const floats = (at: number, length: number) => new Float32Array(memory, 4 * at, length);

/** A matrix of two rows, at this float of the memory; likewise the bias. */
function matrix(offset: number, at: number, biasAt?: number): FloatMatrix {
  const bias = biasAt === undefined ? undefined : floats(biasAt, 2);
  return { rows: 2, width, offset, values: floats(at, 2 * width), bias, kernels: undefined };
}

describe("matrices of one output", () => {
  it("are joined if they are adjacent in memory", () => {
    const all = joined([matrix(0, 0), matrix(2, 8), matrix(4, 16)]);
    expect(all).toEqual([{ ...matrix(0, 0), rows: 6, values: floats(0, 24) }]);
  });

  it("are joined with their biases if these are adjacent too", () => {
    const all = joined([matrix(0, 0, 100), matrix(2, 8, 102)]);
    expect(all).toEqual([{ ...matrix(0, 0), rows: 4, values: floats(0, 16), bias: floats(100, 4) }]);
  });

  it.each<[string, FloatMatrix, FloatMatrix]>([
    ["their values are not adjacent", matrix(0, 0), matrix(2, 9)],
    ["their biases are not adjacent", matrix(0, 0, 100), matrix(2, 8, 110)],
    ["only the first has a bias", matrix(0, 0, 100), matrix(2, 8)],
    ["only the second has a bias", matrix(0, 0), matrix(2, 8, 100)],
    [
      "they are in two memories",
      matrix(0, 0),
      { ...matrix(2, 8), values: new Float32Array(new ArrayBuffer(1024), 4 * 8, 2 * width) },
    ],
  ])("stay separate if %s", (_, first, second) => {
    expect(joined([first, second])).toEqual([first, second]);
  });

  it("are none if there are none", () => expect(joined([])).toEqual([]));
});
