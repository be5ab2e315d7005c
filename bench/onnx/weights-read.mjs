/**
 * The bytes of weights that a decode step of Ringrank reads: all except tables in which it looks up a row. In the ranks'
 * own products, scales of quantized weights have two bytes, and so have elements of matrices that are stored as
 * bfloat16.
 */
export function bytesReadPerToken(graph) {
  const read = new Set();
  for (const { opType, inputs } of graph.nodes) {
    if (opType.startsWith("Gather")) continue;
    for (const name of inputs) read.add(name);
  }
  let bytes = 0;
  for (const [name, { type, dims, source }] of graph.weights) {
    if (source.kind === "inline" || !read.has(name)) continue;
    const isScales = source.kind === "quantized" && source.part === "scales";
    const isNarrow = dims.length === 2 && source.storedAs === "bfloat16";
    const each = isScales || isNarrow ? 2 : elementBytes[type];
    bytes += dims.reduce((product, dim) => product * dim, each);
  }
  return bytes;
}

/** The bytes of the keys and values of one sequence with `rows` rows. */
export function cacheBytes(graph, rows) {
  return graph.caches
    .flatMap(({ states }) => states)
    .map(({ past }) => graph.inputs.find(({ name }) => name === past))
    .map(({ type, dims }) =>
      dims.reduce((size, dim) => size * (typeof dim === "number" ? dim : 1), elementBytes[type]),
    )
    .reduce((sum, bytesPerRow) => sum + bytesPerRow * rows, 0);
}

const elementBytes = { float32: 4, float16: 2, bfloat16: 2, uint8: 1, int8: 1 };
