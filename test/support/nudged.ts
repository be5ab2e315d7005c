import type { TensorData } from "@ringrank/model";
import type { GraphWithContents, Tensors } from "./split-and-whole.js";
import { random } from "./test-graph.js";

/** The same graph with each parameter changed by a few units in the last place (by a factor of 1 ± 2⁻²¹ at most). */
export function nudged({ graph, contents }: GraphWithContents): GraphWithContents {
  let place = 0;
  const nudge = (number: number): number => number * (1 + (random(place++) - 0.5) * 2 ** -20);
  const others = Array.from(contents, ([name, data]): [string, TensorData] => [
    name,
    data instanceof Float32Array ? data.map(nudge) : data,
  ]);
  return { graph, contents: new Map(others) };
}

/** The largest difference between two outputs with the same name. */
export function distance(a: Tensors, b: Tensors, name: string): number {
  const [one, other] = [a, b].map((tensors) => tensors[name]!.data as Float32Array) as [
    Float32Array,
    Float32Array,
  ];
  return one.reduce((most, number, at) => Math.max(most, Math.abs(number - other[at]!)), 0);
}
