import { type Graph, interfaceNames } from "@ringrank/model";
import { greatestSize } from "@ringrank/policy";

const { inputIds, decoderInputIds, attentionMask, decoderAttentionMask } = interfaceNames;

/** A call that asks for most positions: all tokens count, and none is one that models pad with (0 to 3). */
const fullCall: ReadonlyMap<string, number> = new Map([
  [inputIds, 4],
  [decoderInputIds, 4],
  [attentionMask, 1],
  [decoderAttentionMask, 1],
]);

/** The most tokens that a graph takes, by the tables that it has for them; undefined where it shows no limit. */
export function longestSequence(graph: Graph): number | undefined {
  const limits = graph.inputs.flatMap(({ name, dims: [, length] }) => {
    const isTokens = name === inputIds || name === decoderInputIds;
    return isTokens && typeof length === "string" ? (greatestSize(graph, length, fullCall) ?? []) : [];
  });
  return limits.length === 0 ? undefined : Math.min(...limits);
}
