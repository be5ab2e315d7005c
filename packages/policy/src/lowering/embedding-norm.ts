import { float, type GraphNode, int } from "@ringrank/model";
import { int64Tensor } from "../graph/constants.js";
import { makeNode } from "../graph/make-node.js";
import type { Lowering } from "./lowering.js";

/**
 * com.microsoft.EmbedLayerNormalization (ids, segment ids, words, positions, segments, scale, shift, mask, position
 * ids): adds lookups and normalizes the sum. Outputs: the result, how many tokens of each sequence count, and the sum.
 */
const embedLayerNormalization: Lowering = ({ inputs, outputs, attributes }, maker) => {
  const [ids, segmentIds, words, positions, segments, scale, shift, mask, positionIds] = inputs.map((name) =>
    name === "" ? undefined : name,
  );
  const nodes: GraphNode[] = [];
  const make = (
    operator: string,
    from: readonly string[],
    to = maker.value(),
    more: GraphNode["attributes"] = {},
  ) => {
    nodes.push(makeNode(operator, from, to, more));
    return to;
  };
  const list = (value: number): string => maker.constant(int64Tensor([value]));
  const scalar = (value: number): string => maker.constant(int64Tensor([value], []));

  const places = (): string => {
    const length = make("Squeeze", [make("Slice", [make("Shape", [ids!]), list(1), list(2)]), list(0)]);
    return make("Range", [scalar(0), length, scalar(1)]);
  };
  let sum = make(
    "Add",
    [make("Gather", [words!, ids!]), make("Gather", [positions!, positionIds ?? places()])],
    segments === undefined ? outputs[2] || maker.value() : maker.value(),
  );
  if (segments !== undefined && segmentIds !== undefined)
    sum = make("Add", [sum, make("Gather", [segments, segmentIds])], outputs[2] || maker.value());
  const epsilon = attributes.epsilon ?? float(1e-12);
  make("LayerNormalization", [sum, scale!, shift!], outputs[0]!, {
    epsilon,
    axis: int(-1),
  });
  if (outputs[1])
    make("ReduceSum", [mask ?? make("Mul", [ids!, make("Sub", [ids!, ids!])]), list(1)], outputs[1], {
      keepdims: int(0),
    });
  return nodes;
};

/**
 * com.microsoft.QEmbedLayerNormalization: the same with integer tables, scale and shift. Each has one scale (inputs 8
 * to 12) and one zero point (13 to 17) for all its elements; the mask is input 7.
 */
const quantizedEmbedding: Lowering = ({ inputs, outputs, attributes }, maker) => {
  const [
    ids = "",
    segmentIds = "",
    words = "",
    positions = "",
    segments = "",
    scale = "",
    shift = "",
    mask = "",
  ] = inputs;
  const figures = (at: number): string[] => [8, 13].map((first) => inputs[first + at] ?? "");
  const tables = new Map<string, readonly string[]>();
  const looked = [words, positions, segments].map((table, at) => {
    if (table === "") return "";
    const name = maker.value();
    tables.set(name, [table, ...figures(at)]);
    return name;
  });
  const made: GraphNode[] = [];
  const real = [scale, shift].map((quantized, at) => {
    const name = maker.value();
    made.push(makeNode("DequantizeLinear", [quantized, ...figures(3 + at)], [name]));
    return name;
  });
  const plain = makeNode("", [ids, segmentIds, ...looked, ...real, mask], outputs, attributes);
  for (const node of embedLayerNormalization(plain, maker)!) {
    const [table, rows] = node.inputs;
    const found = tables.get(table ?? "");
    if (found === undefined) made.push(node);
    else {
      const [values, ...ofAll] = found;
      made.push(makeNode("ringrank::DequantizedLookup", [values!, rows!, ...ofAll], node.outputs));
    }
  }
  return made;
};

export const embeddingNorm: Readonly<Record<string, Lowering>> = {
  "com.microsoft::EmbedLayerNormalization": embedLayerNormalization,
  "com.microsoft::QEmbedLayerNormalization": quantizedEmbedding,
};
