import { isRingrankError } from "@ringrank/errors";
import { type Graph, type GraphNode, intAttribute } from "@ringrank/model";
import { lowerWhole } from "../preparation/prepare-graph.js";
import { bindSymbols, type Evaluated, evaluateShapes, symbolTable } from "../shapes/index.js";

type Values = ReadonlyMap<string, Evaluated>;

/** More rows than any table of positions has. */
const more = 2 ** 20;

/**
 * The greatest size that a symbol of the inputs can have: a sequence's length, if the graph looks up one position per
 * token in a table, or cuts that many rows off one. Undefined if it shows no limit. Caches count as empty.
 *
 * @param elements by input: the value of all its elements in a call that asks for most, such as 1 in a mask
 */
export function greatestSize(
  given: Graph,
  symbol: string,
  elements: ReadonlyMap<string, number>,
): number | undefined {
  const graph = lowerWhole(given);
  const symbols = symbolTable(graph);
  const empty = emptyCaches(graph);
  const setting = (which: 0 | 1) => ({ ...bindSymbols(symbols, (sizes) => sizes[which]), ...empty });
  const at = (size: number, others = setting(0)) => evaluated(graph, { ...others, [symbol]: size }, elements);
  // All other sizes differ too: whatever depends on them is no limit of this one.
  const [small, large] = symbols.get(symbol) ?? [0, 0];
  const [first, second] = [at(small), at(large, setting(1))];
  if (first === undefined || second === undefined) return undefined;
  const lookedUp = graph.nodes.map((node) =>
    rowsLookedUp(node, { values: first, size: small }, { values: second, size: large }),
  );
  const isTaken = (size: number): boolean => {
    const values = at(size);
    return values !== undefined && !graph.nodes.some((node) => hasTurned(node, first, values));
  };
  const most = Math.min(more, ...lookedUp);
  if (isTaken(most)) return most === more ? undefined : most;
  let [fits, fails] = [large, most];
  while (fails - fits > 1) {
    const middle = Math.floor((fits + fails) / 2);
    if (isTaken(middle)) fits = middle;
    else fails = middle;
  }
  // A table of that length is the reason. There may be another one, since contents are only propagated up to some
  // length.
  const isTable = ([name, { dims }]: [string, Evaluated]): boolean =>
    dims.some((size, axis) => size === fits && second.get(name)?.dims[axis] === fits);
  return [...first].some(isTable) ? fits : undefined;
}

function emptyCaches({ inputs, caches }: Graph): Record<string, number> {
  const kept = new Set(
    caches.flatMap(({ positions, states }) => [positions, ...states.map(({ past }) => past)]),
  );
  // The first size of cache inputs is the batch.
  const rows = inputs.flatMap(({ name, dims }) => (kept.has(name) ? dims.slice(1) : []));
  return Object.fromEntries(rows.filter((dim) => typeof dim === "string").map((dim) => [dim, 0]));
}

/** Undefined if the graph does not support such sizes. */
function evaluated(
  graph: Graph,
  sizes: Readonly<Record<string, number>>,
  elements: ReadonlyMap<string, number>,
): Values | undefined {
  try {
    return evaluateShapes(graph, sizes, "taken", elements);
  } catch (error) {
    if (isRingrankError(error) && error.code === "RR_GRAPH") return undefined;
    throw error;
  }
}

interface Setting {
  readonly values: Values;
  readonly size: number;
}

/** The greatest size for which a table has the rows that are looked up in it, if their indices grow with the size. */
function rowsLookedUp(node: GraphNode, first: Setting, second: Setting): number {
  const { opType, inputs } = node;
  const [table = "", indices = ""] = inputs;
  const axis = intAttribute(node, "axis", 0);
  const isLookUp = opType === "Gather" || opType === "GatherElements";
  const rows = first.values.get(table)?.dims.at(axis);
  const isTable = rows !== undefined && rows === second.values.get(table)?.dims.at(axis);
  const [last, later] = [first, second].map(
    ({ values, size }) => Math.max(...(values.get(indices)?.contents ?? [])) - size,
  );
  return isLookUp && isTable && last === later ? rows - 1 - last! : Number.POSITIVE_INFINITY;
}

/**
 * Whether a Slice starts at an index counted from the end, and at a smaller size from the start. If the start of a
 * Slice of a table's last rows is computed by subtracting the size, the Slice still returns one row when there is one
 * too few, and a single row broadcasts to any number.
 */
function hasTurned({ opType, inputs }: GraphNode, before: Values, now: Values): boolean {
  if (opType !== "Slice") return false;
  const [earlier = [], starts = []] = [before, now].map((values) => values.get(inputs[1]!)?.contents);
  return starts.some((start, index) => start < 0 && (earlier[index] ?? start) >= 0);
}
