import { GraphBuilder } from "@ringrank/model";
import { expect, it } from "vitest";
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
  const sets = admissibleSets(roles, conflicts, ({ units }) => units);
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
  const sets = admissibleSets(roles, conflicts, ({ units }) => units);
  // Along a path, the best with a role is the best up to the one before its neighbour, and itself.
  let [without, best] = [0, 0];
  for (const { units } of roles) [without, best] = [best, Math.max(best, without + units)];
  expect(Math.max(...sets.map(unitsOf))).toBe(best);
});

it.each(["memory", "time"] as const)(
  "a model of forty layers, all unlike, is planned for %s",
  (objective) => {
    const policy = planGraph(perceptron(40), { ranks: 2, objective });
    expect(policy.factors).toHaveLength(40);
    expect(policy.factors.some(({ sharded }) => sharded)).toBe(true);
  },
);
