import { type GraphNode, readsOf } from "@ringrank/model";
import type { LocalValues } from "../local/local-values.js";
import type { Segment } from "../program.js";
import { describeElementwise } from "./elementwise.js";
import { describeInterpretable } from "./interpretable.js";
import { makeSegment, noWeights, type SegmentContext } from "./segment.js";
import type { SharedSegments } from "./shared-segments.js";

/** A segment that several steps may run, and the names of its values in the table of one of them. */
export interface WeightlessSegment {
  readonly segment: Segment;
  /** By index in `segment.inputs`. */
  readonly inputs: readonly string[];
  /** By index in `segment.outputs`. */
  readonly outputs: readonly string[];
}

/**
 * A segment whose values are numbered in the order in which its nodes refer to them. Work that is the same in all
 * layers, such as attention over a cache, then has the same bytes in all of them.
 *
 * @param needed names of the values that are read later
 * @returns undefined if it reads a weight, which belongs to one layer, or has branches, which read by name
 */
export function makeWeightlessSegment(
  nodes: readonly GraphNode[],
  needed: ReadonlySet<string>,
  context: SegmentContext,
  shared: SharedSegments,
): WeightlessSegment | undefined {
  const isAlone = nodes.some(
    (node) =>
      [...readsOf(node)].some((name) => context.shards.has(name)) ||
      Object.values(node.attributes).some(({ kind }) => kind === "graph"),
  );
  if (isAlone) return undefined;
  const places = new Map<string, string>([["", ""]]);
  const placeOf = (name: string): string => {
    const place = places.get(name) ?? String(places.size);
    places.set(name, place);
    return place;
  };
  const placed = nodes.map((node) => ({
    ...node,
    inputs: node.inputs.map(placeOf),
    outputs: node.outputs.map(placeOf),
  }));
  places.delete("");
  const names = new Map(Array.from(places, ([name, place]) => [place, name]));
  const constants = byPlace(context.constants, places);
  const values = byPlace(context.values, places);
  const neededPlaces = new Set([...needed].flatMap((name) => places.get(name) ?? []));
  const { opsets } = context;
  const segment = shared.get({ placed, neededPlaces, opsets, constants, values }, () => {
    const made = makeSegment(placed, neededPlaces, { ...noWeights, opsets, constants, values });
    return { ...made, ...describeWork(placed, made, constants, values) };
  });
  const namesOf = (some: readonly string[]): string[] => some.map((place) => names.get(place)!);
  return { segment, inputs: namesOf(segment.inputs), outputs: namesOf(segment.outputs) };
}

/** What a segment computes, for ranks that have a faster way; empty if it is too much for that. */
function describeWork(
  nodes: readonly GraphNode[],
  segment: Segment,
  constants: SegmentContext["constants"],
  values: LocalValues,
): Pick<Segment, "elementwise" | "interpretable"> {
  const elementwise = describeElementwise(nodes, segment, constants, values);
  if (elementwise !== undefined) return { elementwise };
  const interpretable = describeInterpretable(nodes, segment, { ...noWeights, constants, values });
  return interpretable === undefined ? {} : { interpretable };
}

function byPlace<T>(of: ReadonlyMap<string, T>, places: ReadonlyMap<string, string>): Map<string, T> {
  return new Map(
    Array.from(places).flatMap(([name, place]) => {
      const found = of.get(name);
      return found === undefined ? [] : [[place, found] as const];
    }),
  );
}
