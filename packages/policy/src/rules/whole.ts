import { makeNode } from "../graph/make-node.js";
import { freshOutputs } from "./matmul.js";
import type { Rule } from "./rule.js";

/**
 * A value that every rank has whole, for a reader without a rule: gathered between segments if it is sharded, otherwise
 * unchanged.
 */
const whole: Rule = {
  propagate: (operator, factors) =>
    freshOutputs(operator, factors, "gathered for an operator without a rule"),
  localize(_operator, local) {
    if (local.inputDims(0).some((dim) => local.isSharded(dim))) return [];
    return [makeNode("Identity", [local.input(0)], local.output(0))];
  },
};

export const wholeRules: Readonly<Record<string, Rule>> = { "ringrank::Whole": whole };
