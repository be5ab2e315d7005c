import { encodeOnnx, type Graph, GraphBuilder, type SymbolicDim, type Value } from "@ringrank/model";
import { elementCount } from "@ringrank/model/weights";
import * as ort from "onnxruntime-node";

/** An attention over a cache, and its inputs. */
export interface AttentionCase {
  readonly batch: number;
  /** Number of new rows of each sequence. */
  readonly rows: number;
  readonly heads: number;
  readonly group: number;
  readonly lanes: number;
  readonly past: number;
  readonly rotary?: { readonly lanes: number; readonly interleaved: boolean };
  /** Sizes of batch, heads and rows of each addend of the scores. */
  readonly addends?: readonly (readonly [batch: number, heads: number, rows: number])[];
  /** Whether a head's queries, key and value are adjacent. */
  readonly byHeads?: boolean;
}

export interface AttentionInput {
  readonly dims: readonly number[];
  readonly data: Float32Array;
}

/** Inputs by the names of {@link attentionGraph}. Tests pass the addends, since their meaning depends on the test. */
export function attentionInputs(
  { batch, rows, heads, group, lanes, past, rotary, addends = [] }: AttentionCase,
  addend: (which: number, row: number, column: number, head: number, sequence: number) => number,
): Record<string, AttentionInput> {
  const dims: Record<string, readonly number[]> = {
    joined: [batch, rows, heads * (group + 2) * lanes],
    pastKeys: [batch, heads, past, lanes],
    pastValues: [batch, heads, past, lanes],
    ...(rotary && { cos: [batch, rows, rotary.lanes / 2], sin: [batch, rows, rotary.lanes / 2] }),
  };
  const angle = (x: number, name: string): number =>
    name === "cos" ? Math.cos(x) : name === "sin" ? Math.sin(x) : x;
  const seeds: Record<string, number> = { joined: 1, pastKeys: 2, pastValues: 3, cos: 4, sin: 4 };
  const drawn = Object.entries(dims).map(([name, sizes]) => [
    name,
    { dims: sizes, data: noise(seeds[name]!, sizes).map((x) => angle(x, name)) },
  ]);
  const added = addends.map(([sequences, perHead, perRow], which) => {
    const sizes = [sequences, perHead, perRow, past + rows];
    const data = noise(5 + which, sizes).map((x, i) => {
      const [column, line] = [i % (past + rows), Math.floor(i / (past + rows))];
      const [row, ofHeads] = [line % perRow, Math.floor(line / perRow)];
      return x + addend(which, row, column, ofHeads % perHead, Math.floor(ofHeads / perHead));
    });
    return [`addend${which}`, { dims: sizes, data }];
  });
  return Object.fromEntries([...drawn, ...added]);
}

/** Numbers in about ±1, without a simple pattern. */
function noise(seed: number, dims: readonly number[]): Float32Array {
  return Float32Array.from({ length: elementCount(dims) }, (_, i) =>
    Math.sin(seed * 7.13 + i * i * 0.377 + i),
  );
}

/** Attention in the operators that architectures use; outputs `context`, `presentKeys` and `presentValues`. */
export function attentionGraph(options: AttentionCase): Graph {
  const { heads, group, lanes, rotary, addends = [], byHeads = false } = options;
  const g = new GraphBuilder();
  const float = (name: string, dims: readonly SymbolicDim[]): Value => g.input(name, "float32", dims);
  const joined = float("joined", ["batch", "rows", heads * (group + 2) * lanes]);
  const pastKeys = float("pastKeys", ["batch", heads, "past", lanes]);
  const pastValues = float("pastValues", ["batch", heads, "past", lanes]);
  const positions = g.input("positions", "int64", ["batch", "past"]);
  g.cache({
    positions: positions.name,
    states: [
      { past: "pastKeys", present: "presentKeys", axis: 2 },
      { past: "pastValues", present: "presentValues", axis: 2 },
    ],
  });

  const [q, k, v] = byHeads ? cutByHeads(g, joined, options) : cutByParts(g, joined, options);
  const angles = rotary && ["cos", "sin"].map((name) => float(name, ["batch", "rows", rotary.lanes / 2]));
  const rotate = (x: Value): Value =>
    rotary === undefined
      ? x
      : g.rotaryEmbedding(x, angles![0]!, angles![1]!, {
          lanes: rotary.lanes === lanes ? undefined : rotary.lanes,
          interleaved: rotary.interleaved,
        });
  const query = g.reshape(rotate(q!), [0, heads, -1, lanes]);
  const key = rotate(k!);
  const scored = g.concat(
    [pastKeys, key].map((keys) => g.matmulTransposed(query, keys, 0.3)),
    3,
  );
  const added = addends.map(([sequences, perHead, perRow], which) => {
    const dims = [
      sequences === 1 ? 1 : "batch",
      perHead === 1 ? 1 : heads * group,
      perRow === 1 ? 1 : "rows",
    ];
    const columns = (of: string) => float(`addend${which}.${of}`, [...dims, of]);
    return g.concat([columns("past"), columns("rows")], 3);
  });
  const scores = added.reduce((sum, one) => g.add(sum, one), g.reshape(scored, [0, heads * group, -1, 0]));
  const shares = g.reshape(g.softmax(scores), [0, heads, -1, 0]);
  const lengths = g.concat([g.shape(positions, 1, 2), g.shape(joined, 1, 2)], 0);
  const [overPast, overNew] = g.splitBy(shares, lengths, 2, 3);
  const mixed = g.add(g.matmul(overPast!, pastValues), g.matmul(overNew!, v!));
  const byRows = g.transpose(g.reshape(mixed, [0, heads * group, -1, lanes]), [0, 2, 1, 3]);
  const width = heads * group * lanes;
  g.output("context", g.reshape(byRows, [0, 0, width]), "float32", ["batch", "rows", width]);
  g.output("presentKeys", key, "float32", ["batch", heads, "rows", lanes]);
  g.output("presentValues", v!, "float32", ["batch", heads, "rows", lanes]);
  return g.build();
}

/**
 * Queries, keys and values, `[batch, heads, rows, lanes]`, from rows with all queries first, then all keys and values.
 */
function cutByParts(g: GraphBuilder, joined: Value, { heads, group, lanes }: AttentionCase): Value[] {
  const parts = g.split(joined, [heads * group * lanes, heads * lanes, heads * lanes], 2);
  return parts.map((part, at) => {
    const separated = g.reshape(part, [0, 0, at === 0 ? heads * group : heads, lanes]);
    return g.transpose(separated, [0, 2, 1, 3]);
  });
}

/** The same from rows with the queries, key and value of one head after another. */
function cutByHeads(g: GraphBuilder, joined: Value, { heads, group, lanes }: AttentionCase): Value[] {
  const separated = g.transpose(g.reshape(joined, [0, 0, heads, group + 2, lanes]), [0, 2, 3, 1, 4]);
  const [q, k, v] = g.split(separated, [group, 1, 1], 2);
  // Without groups, queries need no reshape; with groups, their heads are joined with the groups.
  const queries = group === 1 ? q! : g.reshape(q!, [0, heads * group, -1, lanes]);
  return [queries, g.squeeze(k!, [2]), g.squeeze(v!, [2])];
}

/** The result of one ONNX Runtime session for a graph, by the names of its outputs. */
export async function computeWhole(
  graph: Graph,
  inputs: Readonly<Record<string, AttentionInput>>,
): Promise<Record<string, Float32Array>> {
  const session = await ort.InferenceSession.create(encodeOnnx(graph));
  const [batch, , past] = inputs.pastKeys!.dims;
  const feeds: Record<string, ort.Tensor> = {
    positions: new ort.Tensor("int64", new BigInt64Array(batch! * past!), [batch!, past!]),
  };
  for (const [name, input] of Object.entries(inputs)) {
    const { dims, data } = input;
    if (name.startsWith("addend")) {
      feeds[`${name}.past`] = columnsOf(input, 0, past!);
      feeds[`${name}.rows`] = columnsOf(input, past!, dims.at(-1)!);
    } else feeds[name] = new ort.Tensor("float32", data, dims);
  }
  const results = await session.run(feeds);
  await session.release();
  return Object.fromEntries(Object.entries(results).map(([name, { data }]) => [name, data as Float32Array]));
}

function columnsOf({ dims, data }: AttentionInput, start: number, end: number): ort.Tensor {
  const width = dims.at(-1)!;
  const inside = (_: number, i: number): boolean => i % width >= start && i % width < end;
  return new ort.Tensor("float32", data.filter(inside), [...dims.slice(0, -1), end - start]);
}
