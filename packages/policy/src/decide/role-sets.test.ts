import { type Graph, GraphBuilder, type Value } from "@ringrank/model";
import { describe, expect, it } from "vitest";
import { expectCode } from "../../../../test/support/coded-error.js";
import { propagateFactors } from "../analysis/propagate.js";
import { findRoles, type Role, type Roles } from "../analysis/roles.js";
import { planGraph } from "../plan.js";
import { precisionOf } from "../precision/precision.js";
import { parameter } from "../testing/graphs.js";
import { admissibleSets } from "./role-sets.js";

/** A perceptron whose layers all have different widths: one role per layer, which meets its neighbours. */
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

it("with few roles, all sets without meeting roles are tried", () => {
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

it("with a hundred roles, the best set is found without trying all", () => {
  const { roles, conflicts } = rolesOf(100);
  const { sets, complete } = admissibleSets(roles, conflicts, ({ units }) => units);
  expect(complete).toBe(false);
  // Along a path, the best set with a role is the best one up to the role before its neighbour, plus the role.
  let [without, best] = [0, 0];
  for (const { units } of roles) [without, best] = [best, Math.max(best, without + units)];
  expect(Math.max(...sets.map(unitsOf))).toBe(best);
});

it("with a hundred roles, at most 128 sets are planned, whichever role is last", () => {
  for (const layers of [100, 101, 102]) {
    const { roles, conflicts } = rolesOf(layers);
    const { sets } = admissibleSets(roles, conflicts, ({ units }) => units);
    expect(sets).toHaveLength(128);
  }
});

/**
 * `x·first·last·[1]`, with ten products of other inputs between the first two, each with a role that meets no other.
 */
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

it("a late role that meets roles of all the best sets is still tried", () => {
  const { roles, conflicts } = findRoles(propagateFactors(twoThatMeetAroundTen(), precisionOf()));
  const { sets, complete } = admissibleSets(roles, conflicts, ({ units }) => units);
  expect(roles.map(({ units }) => units)).toEqual([400, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 3000]);
  expect(complete).toBe(false);
  expect(sets).toContainEqual([roles.at(-1)]);
});

it.each<[string, Graph, "possible" | "found"]>([
  ["every set was tried", perceptron(4), "possible"],
  ["sets were left out", twoThatMeetAroundTen(), "found"],
])("if %s, the error about insufficient memory says so", (_, graph, word) => {
  const plan = () => planGraph(graph, { ranks: 2, memoryPerRank: 1 });
  expect(expectCode("RR_MEMORY", plan).message).toContain(`the least ${word} is`);
});

it.each(["memory", "time"] as const)(
  "a model of forty different layers can be planned for %s",
  (objective) => {
    const policy = planGraph(perceptron(40), { ranks: 2, objective });
    expect(policy.factors).toHaveLength(40);
    expect(policy.factors.some(({ sharded }) => sharded)).toBe(true);
  },
);

/** Twelve products of other inputs, whose columns can be sharded independently: more sets than are all tried. */
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

describe.each(["memory", "time"] as const)(
  "with the objective %s and more sets than are tried",
  (objective) => {
    it("a role that can only be sharded together with another one is, if both are worth it", () => {
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

    it("a role that can never be sharded does not prevent others from being sharded, however large it is", () => {
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
  },
);
