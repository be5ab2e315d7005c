import type { Graph, SymbolicDim, ValueInfo } from "./graph.js";

/** Replacements by size, which is usually a symbol. */
export type Sizes = ReadonlyMap<SymbolicDim, SymbolicDim>;

/** A graph whose inputs and outputs have other sizes. */
export function withSizes(graph: Graph, sizes: Sizes): Graph {
  if (sizes.size === 0) return graph;
  const resized = (value: ValueInfo): ValueInfo => valueWithSizes(value, sizes);
  return { ...graph, inputs: graph.inputs.map(resized), outputs: graph.outputs.map(resized) };
}

export function valueWithSizes(value: ValueInfo, sizes: Sizes): ValueInfo {
  return { ...value, dims: value.dims.map((dim) => sizes.get(dim) ?? dim) };
}
