import { describe, expect, it } from "vitest";
import { floatsAtOnce } from "../kernels/kernel-result.js";
import { RankKernels } from "../kernels/rank-kernels.js";
import { tensor } from "../tensors/tensor.js";
import { Addition } from "./addition.js";

describe.each([
  ["the kernel", () => new RankKernels()],
  ["a kernel without room", withoutRoom],
  ["plain code", () => undefined],
])("%s", (_, kernelsOf) => {
  it.each([
    ["a row", [1, 1, 96]],
    ["rows whose width is not a multiple of a vector's", [2, 3, 45]],
    ["more than it processes at once", [3, floatsAtOnce / 2 + 5]],
  ])("adds %s with the bits of float32", (_, dims) => {
    const { sum, addend, expected } = make(dims);
    const result = new Addition([], kernelsOf()).run(sum, addend);
    expect(result.dims).toEqual(dims);
    expect(result.data).toEqual(expected);
  });

  it.each([
    ["a row", [1, 1, 96]],
    ["rows whose width is not a multiple of a vector's", [2, 3, 45]],
    ["more than it processes at once", [600, 96]],
    ["a row longer than that", [2, floatsAtOnce + 5]],
  ])("adds a row to each of %s, and then a value", (_, dims) => {
    const { sum, addend } = make(dims);
    const width = dims.at(-1)!;
    const bias = floats(make([width]).addend);
    const biased = floats(sum).map((x, i) => x + bias[i % width]!);
    const expected = biased.map((x, i) => x + floats(addend)[i]!);
    const alone = new Addition([bias], kernelsOf()).run(make(dims).sum);
    expect(alone.data).toEqual(biased);
    const result = new Addition([bias], kernelsOf()).run(sum, addend);
    expect(result.dims).toEqual(dims);
    expect(result.data).toEqual(expected);
  });

  it("adds the sum of several rows", () => {
    const { sum, addend } = make([2, 8]);
    const rows = [make([8]).sum, make([8]).addend].map(floats);
    const row = rows[0]!.map((x, i) => x + rows[1]![i]!);
    const expected = floats(sum).map((x, i) => x + row[i % 8]!);
    const added = expected.map((x, i) => x + floats(addend)[i]!);
    expect(new Addition(rows, kernelsOf()).run(sum, addend).data).toEqual(added);
  });
});

it("adds an addend of another shape in the order of its elements", () => {
  const { sum, addend, expected } = make([4, 6]);
  const result = new Addition([], new RankKernels()).run(sum, tensor("float32", floats(addend), [2, 2, 6]));
  expect(result.dims).toEqual([4, 6]);
  expect(result.data).toEqual(expected);
});

it("consecutive additions on the same kernels do not change each other's results, and can add to them in place", () => {
  const kernels = new RankKernels();
  const [one, other] = [make([1, 8]), make([1, 8])];
  const first = new Addition([], kernels).run(one.sum, one.addend);
  const second = new Addition([], kernels).run(other.sum, first);
  expect(first.data).toEqual(one.expected);
  expect(second.data).toEqual(one.expected.map((x, i) => x + floats(other.sum)[i]!));
  expect(kernels.memory.holds(floats(second))).toBe(true);
});

it("adds values of another shape correctly afterwards", () => {
  const addition = new Addition([], new RankKernels());
  for (const dims of [
    [1, 1, 24],
    [3, 1, 24],
    [1, 2, 24],
  ]) {
    const { sum, addend, expected } = make(dims);
    expect(addition.run(sum, addend)).toMatchObject({ dims, data: expected });
  }
});

it("reads the current contents of the kernels' memory each time, whatever happened in between", () => {
  const kernels = new RankKernels();
  const bias = floats(make([12]).addend);
  const addition = new Addition([bias], kernels);
  const near = (dims: readonly number[]) => {
    const { sum, addend } = make(dims);
    const place = (data: Float32Array) => {
      const room = kernels.memory.floats(data.length)!;
      room.set(data);
      return tensor("float32", room, dims);
    };
    return { sum: place(floats(sum)), addend: place(floats(addend)) };
  };
  const [one, other] = [near([1, 12]), near([3, 12])];
  const plainly = ({ sum, addend }: typeof one) =>
    floats(sum).map((x, i) => Math.fround(x + bias[i % 12]!) + floats(addend)[i]!);
  for (const [turn, operands] of [one, one, other, one, one].entries()) {
    floats(operands.sum)[turn] = turn;
    floats(operands.addend)[turn + 1] = -turn;
    const expected = plainly(operands);
    expect(addition.run(operands.sum, operands.addend).data).toEqual(expected);
  }
  expect(addition.run(one.sum).data).toEqual(floats(one.sum).map((x, i) => x + bias[i]!));
});

it.each([
  ["of another size", tensor("float32", new Float32Array(6), [6])],
  ["of another type", tensor("int32", new Int32Array(8), [8])],
])("refuses an addend %s", (_, addend) => {
  const { sum } = make([8]);
  expect(() => new Addition([], undefined).run(sum, addend)).toThrow(
    expect.objectContaining({ code: "RR_POLICY" }),
  );
});

it("refuses a row whose length does not divide the sum's", () => {
  expect(() => new Addition([new Float32Array(5)], undefined).run(make([8]).sum)).toThrow(
    expect.objectContaining({ code: "RR_POLICY" }),
  );
});

function withoutRoom(): RankKernels {
  const kernels = new RankKernels(1);
  while (kernels.memory.floats(16) !== undefined);
  return kernels;
}

function make(dims: readonly number[]) {
  const count = dims.reduce((product, one) => product * one, 1);
  const values = (seed: number) => Float32Array.from({ length: count }, (_, i) => Math.sin(seed + i * 1.3));
  const [x, y] = [values(1), values(2)];
  const expected = x.map((value, i) => value + y[i]!);
  return { sum: tensor("float32", x, dims), addend: tensor("float32", y, dims), expected };
}

function floats({ data }: { readonly data: unknown }): Float32Array {
  return data as Float32Array;
}
