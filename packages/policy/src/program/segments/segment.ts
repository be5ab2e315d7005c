import {
  encodeOnnx,
  type GraphNode,
  readsOf,
  type SymbolicDim,
  type ValueInfo,
  type Weight,
} from "@ringrank/model";
import type { WeightShard } from "@ringrank/model/weights";
import type { LocalValues } from "../local/local-values.js";
import type { LocalGraph } from "../local/localize.js";
import type { Segment } from "../program.js";
import { joinProducts } from "./join-products.js";

/** What the segments of one rank have in common. */
export interface SegmentContext {
  readonly opsets: Readonly<Record<string, number>>;
  readonly shards: LocalGraph["shards"];
  readonly constants: LocalGraph["constants"];
  readonly values: LocalValues;
  /** The number of segments that read each shard. */
  readonly uses: ReadonlyMap<string, number>;
}

/** Of a segment without weights. */
export const noWeights: Pick<SegmentContext, "shards" | "uses"> = { shards: new Map(), uses: new Map() };

/**
 * One session's model: its nodes, the weights it takes over, and the values that it reads from the table and leaves
 * there.
 *
 * @param needed names of the values that are read later
 */
export function makeSegment(
  given: readonly GraphNode[],
  needed: ReadonlySet<string>,
  context: SegmentContext,
): Segment {
  const { shards } = context;
  const { nodes, ...joined } = joinProducts(given, needed, context);
  const produced = new Set(nodes.flatMap((node) => node.outputs));
  const read = new Set(nodes.flatMap((node) => [...readsOf(node)]));
  const outputs = [...produced].filter((name) => name !== "" && needed.has(name));
  const initializers = new Map<string, readonly string[]>();
  const sharedWeights: string[] = [];
  const inputs: string[] = [];
  const weights = new Map<string, Weight>();
  for (const name of read) {
    const constant = joined.constants.get(name) ?? context.constants.get(name);
    const parts = joined.weights.get(name) ?? (shards.has(name) ? [name] : []);
    if (constant !== undefined) weights.set(name, constant);
    else if ((context.uses.get(name) ?? 0) > 1) sharedWeights.push(name);
    else if (parts.length > 0) {
      initializers.set(name, parts);
      weights.set(name, oneAfterTheOther(parts.map((part) => shards.get(part)!)));
    } else if (!produced.has(name)) inputs.push(name);
  }
  const shared = sharedWeights.map((name): ValueInfo => {
    const { weight, dims } = shards.get(name)!;
    return { name, type: weight.type, dims };
  });
  const graph = {
    opsets: context.opsets,
    inputs: [...inputs.map((name) => valueInfo(name, context.values)), ...shared],
    outputs: outputs.map((name) => valueInfo(name, context.values)),
    nodes,
    weights,
    caches: [],
  };
  const locations = new Map([...initializers.keys()].map((name, index) => [name, String(index)]));
  const onnx = encodeOnnx(graph, { locate: (name) => ({ location: locations.get(name)!, offset: 0 }) });
  return { onnx, inputs, outputs, initializers: [...initializers.values()], sharedWeights };
}

/** A weight that concatenates shards along their first axis, as a session sees it. */
function oneAfterTheOther(shards: readonly WeightShard[]): Weight {
  const { weight, dims } = shards[0]!;
  const rows = shards.map((shard) => shard.dims[0]!);
  const joined = shards.length === 1 ? dims : [rows.reduce((sum, count) => sum + count), ...dims.slice(1)];
  return { type: weight.type, dims: joined, source: { kind: "absent" } };
}

/** Dynamic sizes are left open, each with a name of its own, since two may differ at run time. */
function valueInfo(name: string, values: LocalValues): ValueInfo {
  const { type, dims } = values.get(name)!;
  const open = dims.map((size, axis): SymbolicDim => (size[0] === size[1] ? size[0] : `${name}·${axis}`));
  return { name, type, dims: open };
}
