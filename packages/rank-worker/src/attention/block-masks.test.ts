import { expect, it } from "vitest";
import { type Tensor, tensor } from "../tensors/tensor.js";
import { BlockMasks } from "./block-masks.js";

const extent = { batch: 1, heads: 2, rows: 2, past: 1 };
const masked = -3.4e38;
const causal = tensor("float32", Float32Array.of(0, 0, masked, 0, 0, 0), [1, 1, 2, 3]);
const bias = tensor("float32", Float32Array.of(1, 2, 3, 4, 5, 6), [1, 2, 1, 3]);

const numbers = (masks: BlockMasks, ...addends: Tensor[]): number[][] =>
  masks.of(addends, extent)!.map(({ mask }) => [...(mask.data as Float32Array)]);

it("layers that are given the same masks get the same blocks", () => {
  const masks = new BlockMasks();
  expect(masks.of([causal], extent)).toBe(masks.of([causal], extent));
});

it("a layer with one more addend than an earlier layer gets blocks of its own", () => {
  const masks = new BlockMasks();
  expect(numbers(masks, causal)).toEqual([[0, 0, Math.fround(masked), 0, 0, 0]]);
  expect(numbers(masks, causal, bias)[0]!.slice(3)).toEqual([1, 2, 3, 4, 5, Math.fround(masked), 4, 5, 6]);
});

it("so does a layer with a different addend next to the same mask", () => {
  const masks = new BlockMasks();
  const other = tensor("float32", Float32Array.of(10, 20, 30), [1, 1, 1, 3]);
  expect(numbers(masks, causal, bias)[0]!.slice(0, 2)).toEqual([1, 2]);
  expect(numbers(masks, causal, other)[0]!.slice(0, 2)).toEqual([10, 20]);
});

it("a step with a different past gets blocks of its own", () => {
  const masks = new BlockMasks();
  const everywhere = tensor("float32", Float32Array.of(0), [1, 1, 1, 1]);
  const [first] = masks.of([everywhere], extent)!;
  const [longer] = masks.of([everywhere], { ...extent, past: 5 })!;
  expect([first!.mask.dims, longer!.mask.dims]).toEqual([
    [1, 1, 2, 3],
    [1, 1, 2, 7],
  ]);
});

it("a NaN counts as seen", () => {
  const odd = tensor("float32", Float32Array.of(0, 0, masked, 0, 0, Number.NaN), [1, 1, 2, 3]);
  expect(numbers(new BlockMasks(), odd)[0]!.at(-1)).toBeNaN();
});

it.each([
  ["of another type", tensor("int32", new Int32Array(6), [1, 1, 2, 3])],
  ["with fewer axes", tensor("float32", new Float32Array(6), [1, 2, 3])],
  ["with other sizes", tensor("float32", new Float32Array(8), [1, 1, 2, 4])],
])("returns no blocks for a mask %s", (_, mask) => {
  expect(new BlockMasks().of([mask], extent)).toBeUndefined();
});
