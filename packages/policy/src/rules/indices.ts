import { RingrankError } from "@ringrank/errors";
import type { GraphNode } from "@ringrank/model";
import { fromFront } from "../graph/axis.js";
import { isStatic, type SizePair } from "../shapes/size-pair.js";

/** Consecutive ascending indices. */
export interface IndexRun {
  /** Counted from the front. */
  readonly start: number;
  readonly length: number;
}

/**
 * Indices into an axis of `size` as one run; undefined if they are only known at run time, or not consecutive.
 *
 * @param node the node that reads them, for errors
 * @param contents negative ones count from the end
 * @throws RR_GRAPH for an index outside the axis
 */
export function consecutive(
  node: GraphNode,
  contents: readonly SizePair[] | undefined,
  size: SizePair,
): IndexRun | undefined {
  if (contents === undefined || contents.length === 0 || !isStatic(size) || !contents.every(isStatic))
    return undefined;
  const values = contents.map(([value]) => fromFront(value, size[0]));
  const beyond = values.findIndex((value) => !(value >= 0 && value < size[0]));
  if (beyond >= 0) {
    throw new RingrankError(
      "RR_GRAPH",
      `the ${node.opType} that computes "${node.outputs[0]}" reads index ${contents[beyond]![0]} of an axis of size ${size[0]}`,
    );
  }
  const start = values[0]!;
  if (!values.every((value, index) => value === start + index)) return undefined;
  return { start, length: values.length };
}

/** The indices from `start` on. */
export function indicesFrom(start: number, length: number): number[] {
  return Array.from({ length }, (_, index) => start + index);
}
