import { buildGraph, type Graph, openCheckpoint, openOnnx } from "@ringrank/model";
import { planGraph } from "@ringrank/policy";
import { memoized } from "./memoized.js";
import { type OnnxExport, readRecipe } from "./onnx-exports.js";

/** The decision on each tensor of a checkpoint: `axis 0: 160+160 of 320`, or `whole`. */
export type Decisions = ReadonlyMap<string, string>;

/** The place of a tensor of the checkpoint in a graph. */
interface Place {
  readonly tensor: string;
  /** Byte offset in the graph's file. */
  readonly offset: number;
  readonly transposed: boolean;
}

/** The decisions on the checkpoint's own graph. */
export const checkpointDecisions = memoized((directory: string) => {
  const checkpoint = openCheckpoint(directory);
  const { graph } = buildGraph(checkpoint);
  const places = Array.from(checkpoint.tensors!, ([tensor, { offset }]) => ({
    tensor,
    offset,
    transposed: false,
  }));
  return memoized((ranks: number) => decisions(graph, places, ranks));
});

/**
 * The decisions on an export of the checkpoint, by tensor of the checkpoint, whose bytes the export holds under other
 * names.
 */
export function exportDecisions({ path, recipe }: OnnxExport): (ranks: number) => Decisions {
  const graph = openOnnx(path);
  const places = readRecipe(recipe).map(({ at, tensors, transposed = false }) => ({
    tensor: tensors.join(" and "),
    offset: at,
    transposed,
  }));
  return (ranks) => decisions(graph, places, ranks);
}

function decisions(graph: Graph, places: readonly Place[], ranks: number): Decisions {
  const policy = planGraph(graph, { ranks });
  const byOffset = new Map<number, string>();
  for (const [name, { source }] of graph.weights) {
    if (source.kind === "file") byOffset.set(source.offset, name);
  }
  return new Map(
    places.flatMap(({ tensor, offset, transposed }): [string, string][] => {
      const name = byOffset.get(offset);
      const placement = name === undefined ? undefined : policy.weights[name];
      if (placement === undefined) return [];
      const { axis, dims } = placement;
      if (axis === undefined) return [[tensor, "whole"]];
      const { units, perRank } = policy.factors[placement.factor!]!;
      return [
        [tensor, `axis ${transposed ? dims.length - 1 - axis : axis}: ${perRank.join("+")} of ${units}`],
      ];
    }),
  );
}
