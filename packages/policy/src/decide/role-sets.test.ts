import { type Graph, GraphBuilder, type Value } from "@ringrank/model";
import { describe, expect, it } from "vitest";
import { expectCode } from "../../../../test/support/coded-error.js";
import { propagateFactors } from "../analysis/propagate.js";
import { findRoles, type Role, type Roles } from "../analysis/roles.js";
import { planGraph } from "../policy/plan.js";
import { precisionOf } from "../precision/precision.js";
import { parameter } from "../testing/graphs.js";
import { admissibleSets } from "./role-sets.js";

/** A perceptron of layers of which none is as wide as another: a role by the layer, which meets those next to it. */
function perceptron(layers: number) {
  const g = new GraphBuilder();
  const widths = Array.from({ length: layers + 1 }, (_, layer) => 40 + ((37 * layer) % 101));
  let x = g.input("x", "float32", ["batch", widths[0]!]);
  for (let layer = 0; layer < layers; layer++) {
    const weight = g.weight(`layer ${layer}`, parameter(widths[layer]!, widths[layer + 1]!));
    x = g.relu(g.matmul(x, weight));
  }
  g.output("y", x, "float32", ["batch", widths[layers]!]);
  return g.build();
}

const rolesOf = (layers: number): Roles => findRoles(propagateFactors(perceptron(layers), precisionOf()));
const unitsOf = (set: readonly Role[]): number => set.reduce((sum, { units }) => sum + units, 0);

it("few roles give every set in which none meets another", () => {
  const { roles, conflicts } = rolesOf(4);
  const [first, second, third, fourth] = roles;
  const { sets, complete } = admissibleSets(roles, conflicts, ({ units }) => units);
  expect(complete).toBe(true);
  expect(new Set(sets)).toEqual(
    new Set([
      ...[[first], [second], [third], [fourth]],
      ...[
        [first, third],
        [first, fourth],
        [second, fourth],
      ],
    ]),
  );
});

it("of a hundred roles the best set is found without trying them all", () => {
  const { roles, conflicts } = rolesOf(100);
  const { sets, complete } = admissibleSets(roles, conflicts, ({ units }) => units);
  expect(complete).toBe(false);
  // Along a path, the best with a role is the best up to the one before its neighbour, and itself.
  let [without, best] = [0, 0];
  for (const { units } of roles) [without, best] = [best, Math.max(best, without + units)];
  expect(Math.max(...sets.map(unitsOf))).toBe(best);
});

it("a hundred roles leave no more than 128 sets to plan, whichever comes last", () => {
  for (const layers of [100, 101, 102]) {
    const { roles, conflicts } = rolesOf(layers);
    const { sets } = admissibleSets(roles, conflicts, ({ units }) => units);
    expect(sets).toHaveLength(128);
  }
});

/** `x·first·last·[1]`, and between the first two products ten of other inputs, each with a role that meets no other. */
function twoThatMeetAroundTen() {
  const g = new GraphBuilder();
  const x = g.input("x", "float32", ["batch", 4]);
  const inner = g.relu(g.matmul(x, g.weight("first", parameter(4, 400))));
  for (let index = 0; index < 10; index++) {
    const input = g.input(`x${index}`, "float32", ["batch", 2]);
    const product = g.matmul(input, g.weight(`small ${index}`, parameter(2, 10 + index)));
    g.output(`y${index}`, g.relu(product), "float32", ["batch", 10 + index]);
  }
  const wide = g.relu(g.matmul(inner, g.weight("last", parameter(400, 3000))));
  g.output("y", g.matmul(wide, g.weight("sum", parameter(3000, 1))), "float32", ["batch", 1]);
  return g.build();
}

it("a role that comes late and meets what all the best sets have is still tried", () => {
  const { roles, conflicts } = findRoles(propagateFactors(twoThatMeetAroundTen(), precisionOf()));
  const { sets, complete } = admissibleSets(roles, conflicts, ({ units }) => units);
  expect(roles.map(({ units }) => units)).toEqual([400, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 3000]);
  expect(complete).toBe(false);
  expect(sets).toContainEqual([roles.at(-1)]);
});

it.each<[string, Graph, "possible" | "found"]>([
  ["every set was tried", perceptron(4), "possible"],
  ["sets were left out", twoThatMeetAroundTen(), "found"],
])("where %s, the error of too little memory says so", (_, graph, word) => {
  const plan = () => planGraph(graph, { ranks: 2, memoryPerRank: 1 });
  expect(expectCode("RR_MEMORY", plan).message).toContain(`the least ${word} is`);
});

it.each(["memory", "time"] as const)(
  "a model of forty layers, all unlike, is planned for %s",
  (objective) => {
    const policy = planGraph(perceptron(40), { ranks: 2, objective });
    expect(policy.factors).toHaveLength(40);
    expect(policy.factors.some(({ sharded }) => sharded)).toBe(true);
  },
);

/** Twelve products of other inputs, whose columns may be sharded whatever else is: more sets than are all tried. */
function besideTwelve(add: (g: GraphBuilder) => void): Graph {
  const g = new GraphBuilder();
  add(g);
  for (let index = 0; index < 12; index++) {
    const input = g.input(`x${index}`, "float32", ["batch", 200]);
    const product = g.matmul(input, g.weight(`small ${index}`, parameter(200, 2000 + 10 * index)));
    g.output(`y${index}`, g.relu(product), "float32", ["batch", 2000 + 10 * index]);
  }
  return g.build();
}

const shardedUnits = (graph: Graph, objective: "memory" | "time"): number[] =>
  planGraph(graph, { ranks: 2, objective })
    .factors.filter(({ sharded }) => sharded)
    .map(({ units }) => units);

const small = Array.from({ length: 12 }, (_, index) => 2000 + 10 * index);

describe.each(["memory", "time"] as const)("for %s, among more sets than are all tried", (objective) => {
  it("a role that can only be sharded with another one is, if both are worth it", () => {
    const graph = besideTwelve((g) => {
      const x = g.input("x", "float32", ["batch", 400]);
      const apart = [3000, 5000].map((width) =>
        g.relu(g.matmul(x, g.weight(`up ${width}`, parameter(400, width)))),
      );
      const sum = g.matmul(g.concat(apart, 1), g.weight("down", parameter(8000, 1)));
      g.output("y", sum, "float32", ["batch", 1]);
    });
    expect(shardedUnits(graph, objective)).toEqual(expect.arrayContaining([3000, 5000]));
  });

  it("a role that never can be sharded spoils no other, however large it is", () => {
    const graph = besideTwelve((g) => {
      const double = (x: Value): Value =>
        g.node("Cast", [x], { attributes: { to: { kind: "int", value: 11 } } });
      const x = double(g.input("x", "float32", ["batch", 400]));
      const inner = g.relu(g.matmul(x, double(g.weight("up", parameter(400, 9000)))));
      const sum = g.matmul(inner, double(g.weight("down", parameter(9000, 1))));
      g.output("y", sum, "float64", ["batch", 1]);
    });
    expect(shardedUnits(graph, objective)).toEqual(small);
  });
});
