import { RingrankError } from "@ringrank/errors";
import type { Branch, Graph, ValueInfo } from "@ringrank/model";
import { describe, type Evaluated } from "./evaluated.js";
import { NodeContext, operatorKey } from "./node-context.js";
import { shapeRules } from "./operators/rules.js";
import { readInputs, Scope } from "./scope.js";
import { WeightValue } from "./weight-value.js";

/**
 * The element type and shape of every value of a graph at one setting of its symbolic dimensions, and the contents
 * of the small tensors that shapes depend on. No model is run and no file is read: of weights in files only the
 * shapes are known.
 *
 * Values inside an `If` are among the result where its condition is known: those of the branch taken.
 *
 * @param bindings the size of every symbolic dimension, by symbol
 * @throws RingrankError RR_GRAPH: an operator without a rule or used wrongly, an undefined value, a shape that
 *   depends on data, a symbol without a size
 */
export function evaluateShapes(
  graph: Graph,
  bindings: Readonly<Record<string, number>>,
): ReadonlyMap<string, Evaluated> {
  const scope = new Scope();
  for (const input of graph.inputs) {
    if (!graph.weights.has(input.name)) scope.define(input.name, bindInput(input, bindings));
  }
  evaluateNodes(graph, scope);
  return scope.values;
}

function bindInput({ name, type, dims }: ValueInfo, bindings: Readonly<Record<string, number>>): Evaluated {
  const sizes = dims.map((dim) => {
    if (typeof dim === "number") return dim;
    const size = Object.hasOwn(bindings, dim) ? bindings[dim] : undefined;
    if (size !== undefined) return size;
    throw new RingrankError(
      "RR_GRAPH",
      `input ${name}: expected a size for its symbolic dimension ${dim}; bound are ${Object.keys(bindings)}`,
    );
  });
  return { type, dims: sizes };
}

function evaluateNodes(graph: Branch, scope: Scope): void {
  for (const [name, weight] of graph.weights) scope.define(name, new WeightValue(weight));
  graph.nodes.forEach((node, index) => {
    const context = new NodeContext(node, index, readInputs(scope, node, index));
    const outputs = node.opType === "If" ? evaluateIf(context, scope) : applyRule(context);
    for (let i = 0; i < node.outputs.length; i++) {
      const name = node.outputs[i]!;
      if (name === "") continue;
      const output =
        outputs[i] ?? context.fail(`at most ${outputs.length} outputs, not ${node.outputs.length}`);
      for (const dim of output.dims) {
        if (!Number.isSafeInteger(dim) || dim < 0)
          context.fail(`an output shape of whole sizes, not [${output.dims}]`);
      }
      scope.define(name, output);
    }
  });
}

function applyRule(context: NodeContext): readonly Evaluated[] {
  const rule = shapeRules.get(operatorKey(context.node));
  return rule === undefined ? refuseOperator(context) : rule(context);
}

function refuseOperator({ node, index }: NodeContext): never {
  throw new RingrankError(
    "RR_GRAPH",
    `node ${index}: no shape rule for ${node.domain}::${node.opType}; add one to the family it belongs to in ` +
      "packages/policy/src/shapes/operators",
  );
}

/** The branch taken, in the node's own scope; where the condition is data, both, which must agree in shape. */
function evaluateIf(context: NodeContext, scope: Scope): readonly Evaluated[] {
  const condition = context.input(0).contents?.[0];
  if (condition !== undefined) {
    return evaluateBranch(context, condition !== 0 ? "then_branch" : "else_branch", scope);
  }
  const yes = evaluateBranch(context, "then_branch", new Scope(scope));
  const no = evaluateBranch(context, "else_branch", new Scope(scope));
  return yes.map((value, i) => {
    const other = no[i];
    if (describe(value) !== describe(other)) {
      context.fail(
        `both branches to give output ${i} one shape, not ${describe(value)} and ${describe(other)}`,
      );
    }
    return { type: value.type, dims: value.dims };
  });
}

function evaluateBranch(context: NodeContext, name: string, scope: Scope): readonly Evaluated[] {
  const branch = context.graph(name);
  evaluateNodes(branch, scope);
  return branch.outputs.map(
    (output) => scope.get(output.name) ?? context.fail(`${name} to define its output ${output.name}`),
  );
}
