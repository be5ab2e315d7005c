import { type Graph, GraphBuilder, type Value } from "@ringrank/model";
import { parameter } from "./graphs.js";

const width = 12;
const heads = 4;
const keyValueHeads = 2;
/** Lanes of a head, unless a test sets others. */
export const lanes = 8;

type Change = (g: GraphBuilder, value: Value) => Value;

/**
 * Layers of grouped-query attention over a cache, and what follows each.
 *
 * @param ofHeads applied to queries, keys and values, `[batch, heads, sequence, lanes]`
 */
export function attentionGraph(
  bend: Change = (_, scores) => scores,
  layers = 1,
  lanesOfHead = lanes,
  ofHeads: Change = (_, rows) => rows,
  biasByHead = false,
): Graph {
  const g = new GraphBuilder();
  const x = g.input("x", "float32", ["batch", "sequence", width]);
  const unbiased = g.input("mask", "float32", ["batch", 1, "sequence", 1]);
  const mask = biasByHead ? g.add(unbiased, g.weight("bias", parameter(heads, 1, 1))) : unbiased;
  const positions = g.input("positions", "int64", ["batch", "past"]);
  const lengths = g.concat([g.shape(positions, 1, 2), g.shape(x, 1, 2)], 0);
  const names = Array.from({ length: layers }, (_, layer) => (layer === 0 ? "" : `.${layer}`));
  g.cache({
    positions: positions.name,
    states: names.flatMap((name) => [
      { past: `past${name}.key`, present: `present${name}.key`, axis: 2 },
      { past: `past${name}.value`, present: `present${name}.value`, axis: 2 },
    ]),
  });
  const layer = (x: Value, at: string): Value => {
    const past = (name: string): Value =>
      g.input(`past${at}.${name}`, "float32", ["batch", keyValueHeads, "past", lanesOfHead]);
    const project = (name: string, count: number): Value => {
      const rows = g.matmulTransposed(x, g.weight(name + at, parameter(count * lanesOfHead, width)));
      return ofHeads(g, g.transpose(g.reshape(rows, [0, 0, count, lanesOfHead]), [0, 2, 1, 3]));
    };
    const query = g.reshape(project("q", heads), [0, keyValueHeads, -1, lanesOfHead]);
    const [key, value] = [project("k", keyValueHeads), project("v", keyValueHeads)];
    for (const [name, rows] of [
      ["key", key],
      ["value", value],
    ] as const) {
      g.output(`present${at}.${name}`, rows, "float32", ["batch", keyValueHeads, "sequence", lanesOfHead]);
    }
    const scores = g.concat(
      [past("key"), key].map((keys) => g.matmulTransposed(query, keys, 0.5)),
      3,
    );
    const seen = g.add(g.reshape(bend(g, scores), [0, heads, -1, 0]), mask);
    const shares = g.reshape(g.softmax(seen), [0, keyValueHeads, -1, 0]);
    const [overPast, overNew] = g.splitBy(shares, lengths, 2, 3);
    const mixed = g.add(g.matmul(overPast!, past("value")), g.matmul(overNew!, value));
    const context = g.reshape(g.transpose(g.reshape(mixed, [0, heads, -1, lanesOfHead]), [0, 2, 1, 3]), [
      0,
      0,
      heads * lanesOfHead,
    ]);
    return g.matmulTransposed(context, g.weight(`o${at}`, parameter(width, heads * lanesOfHead)));
  };
  g.output("y", g.relu(names.reduce(layer, x)), "float32", ["batch", "sequence", width]);
  return g.build();
}
