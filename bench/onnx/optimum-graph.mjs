/**
 * A causal graph of this project with the interface of Optimum's decoder exports, which transformers.js runs: the whole
 * past is the input `past_key_values.<i>.key` and, one row longer, the output `present.<i>.key`; `attention_mask`
 * covers past and new rows; the logits are those of the last position. The batch size is 1.
 */
export function optimumGraph(graph) {
  const [cache] = graph.caches;
  const states = cache.states.map(({ past, present, axis }) => ({
    past,
    present,
    axis,
    outside: past.replace("past.", "past_key_values."),
  }));
  const inside = new Map([
    ["attention_mask", "attention_mask.new"],
    ["logits", "logits.rows"],
    ...states.map(({ past, outside }) => [past, outside]),
    ...states.map(({ present }) => [present, `${present}.new`]),
  ]);
  const rename = (name) => inside.get(name) ?? name;
  const renamed = graph.nodes.map((node) => ({
    ...node,
    inputs: node.inputs.map(rename),
    outputs: node.outputs.map(rename),
  }));
  const constants = {
    "export.zero": [[], [0n]],
    "export.one": [[], [1n]],
    "export.axis": [[1], [1n]],
    "export.end": [[1], [2n ** 62n]],
    "export.row": [[1], [0n]],
  };
  const { past, axis } = states[0];
  const before = [
    node("Shape", [rename(past)], ["export.past"], { start: axis, end: axis + 1 }),
    node("Squeeze", ["export.past"], ["export.count"]),
    node("Range", ["export.zero", "export.count", "export.one"], ["export.range"]),
    node("Unsqueeze", ["export.range", "export.row"], [cache.positions]),
    node("Slice", ["attention_mask", "export.past", "export.end", "export.axis"], [rename("attention_mask")]),
    node("Shape", ["input_ids"], ["export.new"], { start: 1, end: 2 }),
    node("Sub", ["export.new", "export.axis"], ["logit_rows"]),
  ];
  const after = [
    node("Unsqueeze", [rename("logits"), "export.row"], ["logits"]),
    ...states.map((state) =>
      node("Concat", [state.outside, rename(state.present)], [state.present], { axis: state.axis }),
    ),
  ];
  return {
    ...graph,
    caches: [],
    weights: new Map([
      ...graph.weights,
      ...Object.entries(constants).map(([name, [dims, data]]) => [
        name,
        { type: "int64", dims, source: { kind: "inline", data: BigInt64Array.from(data) } },
      ]),
    ]),
    inputs: [
      ...graph.inputs
        .filter(({ name }) => !["logit_rows", cache.positions].includes(name))
        .map((input) => ({
          ...input,
          name: states.some(({ past }) => past === input.name) ? rename(input.name) : input.name,
          dims: input.name === "attention_mask" ? ["batch", "total"] : input.dims,
        })),
    ],
    outputs: graph.outputs.map(({ name, type, dims }) =>
      name === "logits"
        ? { name, type, dims: ["batch", 1, dims.at(-1)] }
        : { name, type, dims: dims.map((dim, at) => (at === axis ? "total" : dim)) },
    ),
    nodes: [...before, ...renamed, ...after],
  };
}

function node(opType, inputs, outputs, integers = {}) {
  const attributes = Object.fromEntries(
    Object.entries(integers).map(([name, value]) => [name, { kind: "int", value }]),
  );
  return { opType, domain: "", inputs, outputs, attributes };
}
