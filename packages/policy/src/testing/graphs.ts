import { type Graph, GraphBuilder, type Value, type Weight } from "@ringrank/model";

/** Small graphs for tests, with the operators of models. */

/** A parameter whose bytes are never read. */
export function parameter(...dims: readonly number[]): Weight {
  return { type: "float32", dims, source: { kind: "absent" } };
}

export const sizes = { width: 12, inner: 20, heads: 4, lanes: 5 } as const;

/** `x + down(relu(up(x)))`, with a bias after `down`. */
export function feedForward(inner: number = sizes.inner): Graph {
  const g = new GraphBuilder();
  const x = residualInput(g);
  g.output("y", norm(g, g.add(x, feed(g, x, "a", inner))), "float32", ["batch", "sequence", sizes.width]);
  return g.build();
}

/** Two feed-forwards that read the same value and whose results are added, as in parallel residuals. */
export function parallelFeedForwards(): Graph {
  const g = new GraphBuilder();
  const x = residualInput(g);
  const sum = g.add(g.add(feed(g, x, "a"), feed(g, x, "b")), x);
  g.output("y", norm(g, sum), "float32", ["batch", "sequence", sizes.width]);
  return g.build();
}

/** Two feed-forwards in sequence, with a norm in between; the second may be wider. */
export function serialFeedForwards(innerOfSecond: number = sizes.inner): Graph {
  const g = new GraphBuilder();
  const x = residualInput(g);
  const first = g.add(x, feed(g, x, "a"));
  const second = g.add(first, feed(g, norm(g, first), "b", innerOfSecond));
  g.output("y", norm(g, second), "float32", ["batch", "sequence", sizes.width]);
  return g.build();
}

/** Only a norm: every factor is needed whole. */
export function onlyNorm(): Graph {
  const g = new GraphBuilder();
  const x = residualInput(g);
  const scale = g.weight("scale", parameter(sizes.width));
  g.output("y", g.rmsNormalization(x, scale, 1e-6), "float32", ["batch", "sequence", sizes.width]);
  return g.build();
}

/** A feed-forward with an operator in the middle for which there is no rule. */
export function unknownOperator(): Graph {
  const g = new GraphBuilder();
  const x = residualInput(g);
  const up = g.matmul(x, g.weight("up", parameter(sizes.width, sizes.inner)));
  const odd = g.node("Hardmax", [up]);
  const down = g.matmul(odd, g.weight("down", parameter(sizes.inner, sizes.width)));
  const fed = norm(g, g.add(down, feed(g, x, "known")));
  g.output("y", fed, "float32", ["batch", "sequence", sizes.width]);
  return g.build();
}

function residualInput(g: GraphBuilder): Value {
  return g.input("x", "float32", ["batch", "sequence", sizes.width]);
}

function norm(g: GraphBuilder, x: Value): Value {
  return g.rmsNormalization(x, g.numbers(new Array(sizes.width).fill(1), [sizes.width]), 1e-6);
}

function feed(g: GraphBuilder, x: Value, name: string, inner: number = sizes.inner): Value {
  const up = g.matmul(x, g.weight(`${name}.up`, parameter(sizes.width, inner)));
  const down = g.matmul(g.relu(up), g.weight(`${name}.down`, parameter(inner, sizes.width)));
  return g.add(down, g.weight(`${name}.bias`, parameter(sizes.width)));
}
