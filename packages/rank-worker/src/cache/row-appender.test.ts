import { setKernelFlags } from "@ringrank/webassembly";
import { describe, expect, it, vi } from "vitest";
import { RankKernels } from "../kernels/rank-kernels.js";
import { type Tensor, tensor } from "../tensors/tensor.js";
import { RowAppender } from "./row-appender.js";
import { StateBuffer } from "./state-buffer.js";

setKernelFlags();

const [keyLanes, valueLanes, heads] = [12, 20, 2];
const unbounded = Number.POSITIVE_INFINITY;

/** Keys and values, of which rows differ in length, and how their rows are appended. */
function states(kernels: RankKernels, lanes: readonly number[] = [keyLanes, valueLanes]) {
  const buffers = lanes.map((inner) => {
    const shape = { type: "float32", outer: [heads], inner: [inner], fill: 0 } as const;
    const buffer = new StateBuffer(shape, unbounded, kernels.memory);
    buffer.resize(2, 3);
    return buffer;
  });
  // Between them, the entry has an output that is not a state.
  const appender = RowAppender.of(
    kernels,
    buffers.map((buffer, at) => ({ output: 2 * at, buffer })),
  )!;
  return { buffers, appender };
}

/** New rows of two sequences, of which no two elements are equal. */
function rows(floats: Float32Array, first: number): Tensor {
  floats.set(Float32Array.from(floats, (_, at) => first + at));
  return tensor("float32", floats, [2, heads, 1, floats.length / 2 / heads]);
}

const outputsIn = ({ memory }: RankKernels) => [
  rows(memory.floats(2 * heads * keyLanes)!, 1),
  undefined,
  rows(memory.floats(2 * heads * valueLanes)!, 1000),
];

const contentOf = (buffers: readonly StateBuffer[]) =>
  buffers.map((buffer) => [...buffer.view(0, 2, "all").data]);

/** The same rows, appended to each state by itself. */
function expectedContent(
  outputs: readonly (Tensor | undefined)[],
  batchRow: number,
  slot: number,
  place: number,
) {
  const { buffers } = states(new RankKernels(4));
  for (const [at, buffer] of buffers.entries()) {
    buffer.append(slot, place, outputs[2 * at]!.data as Float32Array, batchRow, 1);
  }
  return contentOf(buffers);
}

describe("a row of all states at once", () => {
  it.each([
    [0, 0, 0],
    [1, 0, 2],
    [0, 1, 1],
  ])("goes from row %i of the batch to slot %i, row %i, like a row of each", (batchRow, slot, place) => {
    const kernels = new RankKernels(4);
    const { buffers, appender } = states(kernels);
    const outputs = outputsIn(kernels);
    expect(appender.append(outputs, batchRow, slot, place)).toBe(true);
    expect(contentOf(buffers)).toEqual(expectedContent(outputs, batchRow, slot, place));
  });

  it("comes from where the outputs of its step are, whether they are those of the last step or not", () => {
    const kernels = new RankKernels(4);
    const { buffers, appender } = states(kernels);
    const outputs = outputsIn(kernels);
    appender.append(outputs, 0, 0, 0);
    rows(outputs[0]!.data as Float32Array, 500);
    appender.append(outputs, 0, 0, 0);
    expect(contentOf(buffers)).toEqual(expectedContent(outputs, 0, 0, 0));
    const others = [outputs[0], undefined, rows(kernels.memory.floats(2 * heads * valueLanes)!, 3000)];
    appender.append(others, 0, 0, 0);
    expect(contentOf(buffers)).toEqual(expectedContent(others, 0, 0, 0));
  });

  it("goes to where the buffers are after they have been resized", () => {
    const kernels = new RankKernels(4);
    const { buffers, appender } = states(kernels);
    const outputs = outputsIn(kernels);
    appender.append(outputs, 0, 0, 0);
    for (const buffer of buffers) buffer.resize(1, 4);
    appender.forget();
    appender.append(outputs, 1, 0, 3);
    const [first, last] = [
      outputs[0]!.data.slice(0, keyLanes),
      outputs[0]!.data.slice(2 * keyLanes, 3 * keyLanes),
    ];
    const ofFirstHead = [...buffers[0]!.view(0, 1, "all").data].slice(0, 4 * keyLanes);
    expect(ofFirstHead).toEqual([...first, ...new Array(2 * keyLanes).fill(0), ...last]);
  });
});

describe("nothing is appended", () => {
  it("if new rows are in other memory, or absent", () => {
    const kernels = new RankKernels(4);
    const { buffers, appender } = states(kernels);
    const [keys, , values] = outputsIn(kernels);
    const elsewhere = rows(new Float32Array(2 * heads * valueLanes), 7);
    for (const outputs of [
      [keys, undefined, elsewhere],
      [keys, undefined, undefined],
    ]) {
      expect(appender.append(outputs, 0, 0, 0)).toBe(false);
      expect(
        contentOf(buffers)
          .flat()
          .every((element) => element === 0),
      ).toBe(true);
    }
    expect(appender.append([keys, undefined, values], 0, 0, 0)).toBe(true);
  });

  it("if rows are not whole vectors", () => {
    const kernels = new RankKernels(4);
    const { appender } = states(kernels, [keyLanes, 3]);
    const outputs = [
      rows(kernels.memory.floats(2 * heads * keyLanes)!, 1),
      undefined,
      rows(kernels.memory.floats(2 * heads * 3)!, 1),
    ];
    expect(appender.append(outputs, 0, 0, 0)).toBe(false);
  });
});

it("addresses are listed once for all steps with the same outputs", () => {
  const kernels = new RankKernels(4);
  const { appender } = states(kernels);
  const outputs = outputsIn(kernels);
  const asked = vi.spyOn(kernels.memory, "holds");
  for (let place = 0; place < 3; place++) appender.append(outputs, 0, 0, place);
  // Of two states: the new rows, and the buffer.
  expect(asked).toHaveBeenCalledTimes(4);
});
