/** Pieces of programs split by hand, for tests: weights that are formulas, their shards, segments in small ONNX. */
import type { Weight } from "@ringrank/model";
import { elementCount, type Interval, type WeightShard } from "@ringrank/model/weights";
import type { LocalValue, Segment } from "@ringrank/policy";
import { encodeTinyOnnx, type TinyNode, type TinyValue } from "./tiny-onnx.js";

/** A segment of nodes whose weights it alone uses. */
export function segment(model: {
  inputs: TinyValue[];
  outputs: TinyValue[];
  weights: TinyValue[];
  nodes: TinyNode[];
  constants?: Record<string, number | readonly number[]>;
}): Segment {
  return {
    onnx: encodeTinyOnnx(model),
    inputs: model.inputs.map(({ name }) => name),
    outputs: model.outputs.map(({ name }) => name),
    initializers: model.weights.map(({ name }) => [name]),
    sharedWeights: [],
  };
}

/** Near-even intervals, in order. */
export function deal(units: number, ranks: number): Interval[] {
  return Array.from({ length: ranks }, (_, rank) => [
    Math.ceil((units * rank) / ranks),
    Math.ceil((units * (rank + 1)) / ranks),
  ]);
}

/** Values that repeat in no simple pattern, about ±1. */
export function weight(seed: number, dims: readonly number[]): Weight {
  const length = elementCount(dims);
  const data = Float32Array.from({ length }, (_, i) => 1.3 * Math.sin(seed * 7.13 + i * i * 0.377 + i));
  return { type: "float32", dims, source: { kind: "inline", data } };
}

/** @param axes by axis: the interval kept; the whole axis where absent */
export function shard(whole: Weight, axes: readonly (Interval | undefined)[]): WeightShard {
  const intervals = whole.dims.map((dim, axis): Interval => axes[axis] ?? [0, dim]);
  return {
    weight: whole,
    selection: intervals.map((interval) => [interval]),
    dims: intervals.map(([start, end]) => end - start),
  };
}

export const symbol = (name: string) => ({ scale: 1, symbols: [name] });
export const size = (scale: number) => ({ scale, symbols: [] });
export const f32 = (name: string, ...dims: (number | string)[]): TinyValue => ({ name, dims });
export const i64 = (name: string, ...dims: (number | string)[]): TinyValue => ({ name, type: "int64", dims });
export const int64 = (name: string, symbols: string[]): LocalValue => ({
  name,
  type: "int64",
  dims: symbols.map(symbol),
});
