import "../../../../test/support/optimized-kernels.js";
import type { ElementwiseInstruction, ElementwiseOperation } from "@ringrank/policy";
import { describe, expect, it } from "vitest";
import { kernelFiles, RankKernels } from "../kernels/rank-kernels.js";
import { InstructionList } from "./instruction-list.js";

describe.each(["plain", "fused"] as const)("the %s kernels", (build) => {
  const kernels = new RankKernels(1024, [kernelFiles[build]]);

  /** The results of a list of instructions for these inputs. */
  function run(
    instructions: readonly ElementwiseInstruction[],
    ...inputs: readonly ArrayLike<number>[]
  ): Float32Array {
    const count = inputs[0]!.length;
    const plan = { instructions, outputs: [inputs.length + instructions.length - 1] };
    const list = InstructionList.open(kernels, plan, inputs.length)!;
    const floats = [...inputs, new Float32Array(count)].map((values) => {
      const room = kernels.memory.floats(count)!;
      room.set(values);
      return room;
    });
    const addresses = floats.map(({ byteOffset }) => byteOffset);
    kernels.make(list.call(list.copy()!, addresses, count));
    const result = floats.at(-1)!.slice();
    for (const room of floats) kernels.memory.release(room);
    return result;
  }

  const ofOne = (operation: ElementwiseOperation, x: ArrayLike<number>) =>
    run([{ operation, operands: [{ value: 0 }] }], x);
  const ofTwo = (operation: ElementwiseOperation, x: ArrayLike<number>, y: ArrayLike<number>) =>
    run([{ operation, operands: [{ value: 0 }, { value: 1 }] }], x, y);

  // A float32 has 24 bits: half of the last one is 6e-8. The largest errors found are 8.1e-8, 1.43e-7, 1.26e-7 and
  // 9.1e-8 of the value.
  it.each<[ElementwiseOperation, (x: number) => number, number, number]>([
    ["exp", Math.exp, -87, 88.7],
    ["sigmoid", (x) => 1 / (1 + Math.exp(-x)), -87, 20],
    ["tanh", Math.tanh, -10, 10],
    ["erf", erf, -5, 5],
  ])("compute %s within 1.5e-7 of its value", (operation, reference, least, most) => {
    const x = Float32Array.from({ length: 200_001 }, (_, i) => least + ((most - least) * i) / 200_000);
    expect(ofOne(operation, x)).toBeAllclose(Array.from(x, reference), { rtol: 1.5e-7, atol: 0 });
  });

  it.each<[ElementwiseOperation, (x: number) => number]>([
    ["exp", Math.exp],
    ["sigmoid", (x) => 1 / (1 + Math.exp(-x))],
    ["tanh", Math.tanh],
    ["erf", erf],
    ["sqrt", Math.sqrt],
  ])("compute the limits, zeros and NaN of %s", (operation, reference) => {
    const x = Float32Array.of(
      Infinity,
      1e30,
      100,
      89,
      0,
      1e-20,
      1e-42,
      NaN,
      -0,
      -1e-20,
      -200,
      -1e30,
      -Infinity,
    );
    const expected = Float32Array.from(x, reference);
    // The smallest results are subnormal, where 2⁻¹⁴⁹ is one bit.
    expect(ofOne(operation, x)).toBeAllclose(expected, { rtol: 1.5e-7, atol: 2 ** -149 });
    const signOf = (value: number) => (Object.is(value, -0) ? -1 : Math.sign(value));
    expect(Array.from(ofOne(operation, x), signOf)).toEqual(Array.from(expected, signOf));
  });

  it.each<ElementwiseOperation>(["exp", "sigmoid", "tanh", "erf", "sqrt"])(
    "compute NaN for %s of any NaN",
    (operation) => {
      // NaN as in JavaScript, with the other sign, as in CUDA, and with few bits.
      const bits = Uint32Array.of(0x7fc00000, 0xffc00000, 0x7fffffff, 0x7f800001);
      expect(ofOne(operation, new Float32Array(bits.buffer)).every(Number.isNaN)).toBe(true);
    },
  );

  it("compute a subnormal number, not 0, for exp just above its limit", () => {
    expect([...ofOne("exp", [-88, -100, -103])]).toEqual([...Float32Array.from([-88, -100, -103], Math.exp)]);
  });

  it.each<[ElementwiseOperation, (x: number, y: number) => number]>([
    ["add", (x, y) => x + y],
    ["subtract", (x, y) => x - y],
    ["multiply", (x, y) => x * y],
    ["divide", (x, y) => x / y],
    ["minimum", Math.min],
    ["maximum", Math.max],
  ])(
    "compute %s with the bits of float32 arithmetic, and NaN if either operand is",
    (operation, reference) => {
      const numbers = Float32Array.of(0, -0, 1.1, -3.3, 1e-42, 3e38, -3e38, Infinity, -Infinity, NaN);
      const pairs = Array.from(numbers).flatMap((x) => Array.from(numbers, (y) => [x, y] as const));
      const [x, y] = [pairs.map(([x]) => x), pairs.map(([, y]) => y)];
      expect(ofTwo(operation, x, y)).toEqual(Float32Array.from(pairs, ([x, y]) => reference(x, y)));
    },
  );

  it.each([4, 256, 300, 304, 1028])("write rows of %i floats to their places", (columns) => {
    const rows = 5;
    const [x, y] = [1, 2].map((seed) => {
      const room = kernels.memory.floats(rows * columns)!;
      room.forEach((_, i) => {
        room[i] = Math.sin(seed * i);
      });
      return room;
    }) as [Float32Array, Float32Array];
    const plan = {
      instructions: [
        { operation: "multiply", operands: [{ value: 0 }, { constant: 2 }] },
        { operation: "add", operands: [{ value: 2 }, { value: 1 }] },
      ],
      outputs: [3],
    } as const;
    const list = InstructionList.open(kernels, plan, 2)!;
    expect(list.endsWithOutput).toBe(true);
    const outWidth = columns + 8;
    const out = kernels.memory.floats(7 * outWidth)!.fill(-1);
    const { buffer, byteOffset } = kernels.memory.floats(rows)!;
    const order = new Int32Array(buffer, byteOffset, rows);
    order.set([6, 0, 3, 2, 4]);
    const addresses = [x.byteOffset, y.byteOffset, out.byteOffset + 16];
    list.runRows(addresses, columns, order, 4 * outWidth);
    const expected = new Float32Array(7 * outWidth).fill(-1);
    for (const [row, to] of order.entries()) {
      for (let i = 0; i < columns; i++) {
        const at = row * columns + i;
        expected[to * outWidth + 4 + i] = Math.fround(Math.fround(x[at]! * 2) + y[at]!);
      }
    }
    expect(out).toEqual(expected);
  });

  it("a list whose only output is read by a later instruction does not end with it", () => {
    const instructions = [
      { operation: "multiply", operands: [{ value: 0 }, { constant: 2 }] },
      { operation: "add", operands: [{ value: 1 }, { value: 0 }] },
    ] as const;
    const listOf = (outputs: number[]) => InstructionList.open(kernels, { instructions, outputs }, 1)!;
    expect(listOf([1]).endsWithOutput).toBe(false);
    expect(listOf([1, 2]).endsWithOutput).toBe(false);
    expect(listOf([2]).endsWithOutput).toBe(true);
  });

  it.each([1, 3, 4, 9, 256, 257, 261, 5000])("compute all of %i floats, and none after them", (count) => {
    const x = Float32Array.from({ length: count }, (_, i) => i + 1);
    const [input, output] = [kernels.memory.floats(count)!, kernels.memory.floats(count + 4)!];
    input.set(x);
    output.fill(-1);
    const plan = {
      instructions: [
        { operation: "multiply", operands: [{ value: 0 }, { constant: 2 }] },
        { operation: "add", operands: [{ value: 1 }, { value: 0 }] },
        { operation: "subtract", operands: [{ constant: 1 }, { value: 2 }] },
      ],
      outputs: [3],
    } as const;
    const list = InstructionList.open(kernels, plan, 1)!;
    kernels.make(list.call(list.copy()!, [input.byteOffset, output.byteOffset], count));
    expect(output.subarray(0, count)).toEqual(x.map((one) => 1 - 3 * one));
    const vectors = Math.ceil(count / 4) * 4;
    expect(output.subarray(vectors)).toEqual(new Float32Array(count + 4 - vectors).fill(-1));
  });
});

it("take nothing from a memory without room for an instruction list", () => {
  const kernels = new RankKernels(1);
  const instructions = Array.from({ length: 80 }, (_, value): ElementwiseInstruction => {
    return { operation: "sqrt", operands: [{ value }] };
  });
  const free = kernels.memory.bytesFree;
  expect(InstructionList.open(kernels, { instructions, outputs: [80] }, 1)).toBeUndefined();
  expect(kernels.memory.bytesFree).toBe(free);
});

/** Σ of 2/√π · e^(−x²) · 2ⁿ x^(2n+1) / (2n+1)!!, whose terms have one sign: https://dlmf.nist.gov/7.6#E2. */
function erf(x: number): number {
  const t = Math.min(Math.abs(x), 7);
  let term = t;
  let sum = t;
  for (let n = 1; term > sum * 2 ** -60; n++) {
    term *= (2 * t * t) / (2 * n + 1);
    sum += term;
  }
  const magnitude = (2 / Math.sqrt(Math.PI)) * Math.exp(-t * t) * sum;
  return Number.isNaN(x) || x === 0 ? x : Math.sign(x) * magnitude;
}
