import { isParameter } from "../analysis/roles.js";
import { wholeBytes } from "../decide/storage.js";
import { operatorName } from "../graph/operator-name.js";
import type { UnruledOperator } from "../partition-policy/partition-policy.js";
import type { Described } from "./described.js";

/** Operators that run on whole tensors because they have no rule, and what that costs. */
export function unruledOperators({ factored, found, plan }: Described): UnruledOperator[] {
  const { gathered } = plan.placement;
  return factored.nodes.flatMap(({ operator, rule }, index): UnruledOperator[] => {
    if (rule !== undefined) return [];
    const { node } = operator;
    const held = found.uses.filter((use) => use.node === index && isParameter(use.weight));
    const wholes = new Set(node.inputs.filter((name) => gathered.has(name)));
    return [
      {
        operator: operatorName(node),
        node: node.outputs.find((name) => name !== "") ?? "",
        weightBytes: held.reduce((sum, use) => sum + wholeBytes(use.weight), 0),
        gatheredBytes: [...wholes].reduce((sum, name) => sum + plan.step.bytesOf(name), 0),
        lift: `a rule for ${operatorName(node)} in packages/policy/src/rules`,
      },
    ];
  });
}
