import { type Graph, interfaceNames } from "@ringrank/model";
import { greatestSize } from "@ringrank/policy";

const { inputIds, decoderInputIds, attentionMask, decoderAttentionMask } = interfaceNames;

/** A call that uses the most positions: all tokens count, and none is an id that models pad with (0 to 3). */
const fullCall: ReadonlyMap<string, number> = new Map([
  [inputIds, 4],
  [decoderInputIds, 4],
  [attentionMask, 1],
  [decoderAttentionMask, 1],
]);

/** The most tokens that a graph accepts, according to its tables; undefined if it shows no limit. */
export function longestSequence(graph: Graph): number | undefined {
  const limits = graph.inputs.flatMap(({ name, dims: [, length] }) => {
    if (name !== inputIds && name !== decoderInputIds) return [];
    return (length === 1 ? mostBesideOne(graph) : mostOf(graph, length, fullCall)) ?? [];
  });
  return limits.length === 0 ? undefined : Math.min(...limits);
}

/** For a decoder that takes one token at a time: the most tokens in its past, plus that one. */
function mostBesideOne(graph: Graph): number | undefined {
  const limits = graph.caches.flatMap(({ positions, filledBy }) => {
    const kept = graph.inputs.find(({ name }) => name === positions)?.dims[1];
    // A cached row has a position; which one does not matter.
    const call = new Map([...fullCall, [positions, 0]]);
    return filledBy === undefined ? (mostOf(graph, kept, call) ?? []) : [];
  });
  return limits.length === 0 ? undefined : Math.min(...limits) + 1;
}

function mostOf(
  graph: Graph,
  size: string | number | undefined,
  call: ReadonlyMap<string, number>,
): number | undefined {
  return typeof size === "string" ? greatestSize(graph, size, call) : undefined;
}
