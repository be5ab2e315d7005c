import type { TensorData, Weight } from "@ringrank/model";
import { type Selection, selectedDims } from "@ringrank/model/weights";

/** The selected elements of a constant that is stored in the graph. */
export function sliceInline(weight: Weight, selection: Selection): Weight {
  const { source, dims } = weight;
  if (source.kind !== "inline") throw new TypeError("only constants held in the graph are sliced here");
  const local = selectedDims(selection);
  if (local.every((size, axis) => size === dims[axis])) return weight;
  const indices = selection.map((intervals) => intervals.flatMap(([start, end]) => range(start, end)));
  let offsets = [0];
  for (const [axis, size] of dims.entries()) {
    offsets = offsets.flatMap((offset) => indices[axis]!.map((index) => offset * size + index));
  }
  return { ...weight, dims: local, source: { kind: "inline", data: pick(source.data, offsets) } };
}

function pick(data: TensorData, offsets: readonly number[]): TensorData {
  const out = data.slice(0, offsets.length);
  offsets.forEach((offset, index) => {
    out[index] = data[offset]!;
  });
  return out;
}

function range(start: number, end: number): number[] {
  return Array.from({ length: end - start }, (_, index) => start + index);
}
