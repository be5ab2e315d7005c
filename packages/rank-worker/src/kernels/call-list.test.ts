import "../../../../test/support/optimized-kernels.js";
import { describe, expect, it } from "vitest";
import { CallList } from "./call-list.js";
import { callable, type KernelCall, kernelCall } from "./kernel-call.js";
import { kernelFiles, RankKernels } from "./rank-kernels.js";

const [rows, width, count] = [2, 64, 16];
const blocks = width / 32;
/** Addresses. Every operand has as many bytes as the largest one needs. */
const operandBytes = 65_536;
const operand = (index: number): number => 2 ** 20 + index * operandBytes;
const [x, y, matrix, scales, bias, out, room] = [0, 1, 2, 3, 4, 5, 6].map(operand) as [
  ...[number, number, number, number, number, number, number],
];
/** The instruction `x + y`: assembly/elementwise/elementwise.ts. */
const instruction = operand(7);

/** For each kernel, calls that write other numbers if any argument is another. */
const calls: Record<(typeof callable)[number], readonly KernelCall[]> = {
  add: [kernelCall("add", x, y, out, 37)],
  addRow: [kernelCall("addRow", x, y, out, rows, width)],
  elementwise: [kernelCall("elementwise", instruction, instruction + 28, 40)],
  multiply4: [
    kernelCall("quantize4", x, rows, width, false, room),
    kernelCall("multiply4", room, rows, false, matrix, scales, 4, bias, out, 4 * count + 64, count, blocks),
  ],
  multiply8: [
    kernelCall("quantize8", x, rows, width, true, room),
    kernelCall("multiply8", room, rows, true, matrix, scales, 2, bias, out, 4 * count + 64, count, blocks),
  ],
  multiplyBfloats: [
    kernelCall("splitRows", x, rows, width, room),
    kernelCall("multiplyBfloats", room, rows, matrix, bias, out, 4 * count + 64, count, width, 4),
  ],
  multiplyFloats: [kernelCall("multiplyFloats", x, rows, matrix, bias, out, 4 * count + 64, count, width, 8)],
  normalize: [kernelCall("normalize", x, out, rows, width, y, bias, 0.125, true)],
  quantize4: [kernelCall("quantize4", x, rows, width, true, out)],
  quantize8: [kernelCall("quantize8", x, rows, width, false, out)],
  splitRows: [kernelCall("splitRows", x, rows, width, out)],
};

/** Kernels whose memory contains the operands: numbers between 0.5 and 2, as floats and as any other type. */
function openKernels(build: "plain" | "fused"): RankKernels {
  const kernels = new RankKernels(64, [kernelFiles[build]]);
  const { buffer } = kernels.memory.memory;
  kernels.memory.bytes(2 ** 21);
  for (const at of [x, y, matrix, scales, bias]) {
    const floats = new Float32Array(buffer, at, operandBytes / 4);
    for (const i of floats.keys()) floats[i] = 1.25 + 0.75 * Math.sin(at + 1.7 * i);
  }
  new Uint32Array(buffer, instruction, 7).set([0, x, 1, y, 1, out, 1]);
  return kernels;
}

const result = ({ memory }: RankKernels): Uint8Array =>
  new Uint8Array(memory.memory.buffer, out, operandBytes).slice();

describe.each(["plain", "fused"] as const)("the %s kernels", (build) => {
  it.each(callable)("write the same by a list as by a call of %s", (kernel) => {
    const [one, other] = [openKernels(build), openKernels(build)];
    for (const call of calls[kernel]) one.make(call);
    CallList.open(other, calls[kernel])!.run();
    expect(result(other)).toEqual(result(one));
    expect(result(one).some((byte) => byte !== 0)).toBe(true);
  });
});

it("makes its calls in order, each time it runs", () => {
  const kernels = openKernels("fused");
  const floats = new Float32Array(kernels.memory.memory.buffer, out, 4);
  const list = CallList.open(kernels, [
    kernelCall("add", out, out, out, 4),
    kernelCall("add", out, out, out, 4),
  ])!;
  floats.fill(1);
  list.run();
  list.run();
  expect([...floats]).toEqual([16, 16, 16, 16]);
});

it("takes nothing from a memory without room for it, and returns what it took", () => {
  const kernels = new RankKernels(1);
  const free = kernels.memory.bytesFree;
  const call = kernelCall("add", x, y, out, 4);
  expect(CallList.open(kernels, new Array<KernelCall>(2000).fill(call))).toBeUndefined();
  const list = CallList.open(kernels, [call])!;
  expect(kernels.memory.bytesFree).toBe(free - 64);
  list.release();
  expect(kernels.memory.bytesFree).toBe(free);
});
