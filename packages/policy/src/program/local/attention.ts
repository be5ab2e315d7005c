import { type GraphNode, int, type Weight } from "@ringrank/model";
import type { CachedAttention } from "../../analysis/cached-attention.js";
import { inlineWeight, int64Tensor } from "../../graph/constants.js";
import { makeNode } from "../../graph/make-node.js";
import { isStatic } from "../../shapes/size-pair.js";
import type { AttentionOverCache, HeadsInRow } from "../program.js";
import type { LocalValues } from "./local-values.js";
import type { LocalGraph } from "./localize.js";
import { readsOfAll } from "./reads-of-all.js";

/** Attention as a segment of its own, on one rank. It has no weights, so the number of rows can decide what runs it. */
export interface LocalAttention {
  /** Nodes before it, in the stage that computes the projections. */
  readonly before: readonly GraphNode[];
  readonly nodes: readonly GraphNode[];
  /** Names of what the segment reads, including constants. */
  readonly reads: ReadonlySet<string>;
  /** Names of the segment's outputs. */
  readonly outputs: readonly string[];
  /** Absent if this rank's part does not have the plain form. */
  readonly description: AttentionOverCache | undefined;
  /**
   * Whether each row of every projection contains all of its heads, so that consecutive rows of a sequence are
   * contiguous.
   */
  readonly rowByRow: boolean;
  /** New values and constants. */
  readonly values: LocalValues;
  readonly constants: ReadonlyMap<string, Weight>;
}

/**
 * One rank's part of an attention. Separate projections are passed to it side by side, in one value: passing a value
 * between sessions costs more than joining and splitting it.
 */
export function localAttention(
  attention: CachedAttention,
  local: LocalGraph,
  values: LocalValues,
): LocalAttention {
  const core = attention.body.flatMap((index) => local.nodes[index]!);
  const nameOf = (value: string): string => local.nameOf(value)!;
  const { projections, context, presentKeys, presentValues } = attention;
  const outputs = [nameOf(context), presentKeys, presentValues];
  const names = [projections.query, projections.key, projections.value].map(nameOf);
  const dims = names.map((name) => values.get(name)!.dims);
  if (projections.cut !== undefined || dims.some(({ length }) => length !== 3)) {
    const description = describe(attention, local, values, undefined);
    const rowByRow = projections.cut !== undefined || dims.every(([, rows]) => !isStatic(rows!));
    return {
      before: [],
      nodes: core,
      reads: readsOfAll(core),
      outputs,
      description,
      rowByRow,
      values: new Map(),
      constants: new Map(),
    };
  }
  const widths = dims.map((sizes) => sizes[2]![0]);
  const joined = names.join("|");
  const sizes = `sizes of ${joined}`;
  const axis = int(2);
  const width = widths.reduce((sum, one) => sum + one, 0);
  const cut = makeNode("Split", [joined, sizes], names, { axis });
  const nodes = [cut, ...core];
  return {
    before: [makeNode("Concat", names, joined, { axis })],
    nodes,
    reads: readsOfAll(nodes),
    outputs,
    description: describe(attention, local, values, { name: joined, width }),
    rowByRow: true,
    values: new Map([
      [joined, { type: values.get(names[0]!)!.type, dims: [...dims[0]!.slice(0, 2), [width, width]] }],
    ]),
    constants: new Map([[sizes, inlineWeight(int64Tensor(widths))]]),
  };
}

/** @param joined the value with the projections side by side, if they were joined, and its width */
function describe(
  attention: CachedAttention,
  local: LocalGraph,
  values: LocalValues,
  joined: { readonly name: string; readonly width: number } | undefined,
): AttentionOverCache | undefined {
  const nameOf = (value: string): string => local.nameOf(value)!;
  const { projections, rotary } = attention;
  const isPlain = attention.body.every((index) => local.nodes[index]!.length === 1);
  const [, heads, , lanes] = values.get(attention.pastKeys)!.dims.map(([size]) => size);
  if (!isPlain || heads === undefined || lanes === undefined) return undefined;
  if (values.get(nameOf(attention.context))!.type !== "float32") return undefined;
  const [query, key, value] = [projections.query, projections.key, projections.value].map((name) => ({
    name: nameOf(name),
    width: staticSize(values, nameOf(name)),
  }));
  const group = query!.width / (heads * lanes);
  const rowsAgree = key!.width === heads * lanes && value!.width === heads * lanes;
  const sameLanes = values.get(attention.pastValues)!.dims.at(-1)![0] === lanes;
  if (!Number.isInteger(group) || !rowsAgree || !sameLanes) return undefined;

  const cut = projections.cut && nameOf(projections.cut.from);
  const from = joined ?? (cut === undefined ? undefined : { name: cut, width: staticSize(values, cut) });
  const byHeads = projections.cut?.by === "heads";
  const stride = (own: number): number => (byHeads ? (group + 2) * lanes : own);
  const part = (alone: { name: string; width: number }, offset: number, own: number): HeadsInRow =>
    from === undefined
      ? { value: alone.name, rowWidth: alone.width, offset: 0, headStride: own }
      : { value: from.name, rowWidth: from.width, offset, headStride: stride(own) };
  const keyAt = byHeads ? group * lanes : query!.width;
  return {
    query: part(query!, 0, group * lanes),
    key: part(key!, keyAt, lanes),
    value: part(value!, keyAt + (byHeads ? lanes : key!.width), lanes),
    pastKeys: attention.pastKeys,
    pastValues: attention.pastValues,
    presentKeys: attention.presentKeys,
    presentValues: attention.presentValues,
    context: nameOf(attention.context),
    keyValueHeads: heads,
    group,
    lanes,
    scale: attention.scale,
    addends: attention.addends.map(nameOf),
    biasByHead: attention.biasByHead,
    ...(rotary && {
      rotary: { ...rotary, cos: nameOf(rotary.cos), sin: nameOf(rotary.sin), lanes: rotary.lanes || lanes },
    }),
  };
}

/** The product of those sizes of a value that do not depend on the call. */
function staticSize(values: LocalValues, name: string): number {
  return values.get(name)!.dims.reduce((product, size) => (isStatic(size) ? product * size[0] : product), 1);
}
