import { isRingrankError, RingrankError } from "@ringrank/errors";
import type { Branch, Graph, GraphNode, ValueInfo } from "@ringrank/model";
import { elementCount } from "@ringrank/model/weights";
import { operatorName } from "../graph/operator-name.js";
import { describe, type Evaluated, hasContents } from "./evaluated.js";
import { NodeContext } from "./node-context.js";
import { readInputs, Scope } from "./scope.js";
import { shapeRules } from "./table.js";
import { WeightValue } from "./weight-value.js";

/** Which branches of an `If` are evaluated if its condition is known. */
export type Branches = "both" | "taken";

/**
 * The element type and shape of every value of a graph at one setting of its symbolic dimensions, and the contents of
 * the small tensors that shapes depend on. No model is run and no file is read: for weights in files, only shapes are
 * known.
 *
 * Both branches of an `If` must have the same output shapes. Values inside them are not in the result.
 *
 * @param bindings the size of every symbolic dimension, by symbol
 * @param branches `taken`: if an `If`'s condition is known at these sizes, only the branch taken is evaluated, and its
 * values are in the result
 * @param elements by input: the value of all its elements, to evaluate a call with that
 * @throws RingrankError RR_GRAPH: an operator without a rule or used incorrectly, an undefined value, a shape that
 * depends on data, a symbol without a size
 */
export function evaluateShapes(
  graph: Graph,
  bindings: Readonly<Record<string, number>>,
  branches: Branches = "both",
  elements: ReadonlyMap<string, number> = new Map(),
): ReadonlyMap<string, Evaluated> {
  const scope = inputScope(graph, bindings, elements);
  evaluateNodes(graph, scope, branches);
  return scope.values;
}

/**
 * How many nodes, from the first on, accept these sizes: all of them, or those before the one that
 * {@link evaluateShapes} refuses.
 */
export function countFittingNodes(
  graph: Graph,
  bindings: Readonly<Record<string, number>>,
  branches: Branches = "both",
): number {
  const scope = inputScope(graph, bindings);
  defineWeights(graph, scope);
  const refused = graph.nodes.findIndex((node, index) => {
    try {
      evaluateNode(node, index, scope, branches);
      return false;
    } catch (error) {
      if (isRingrankError(error) && error.code === "RR_GRAPH") return true;
      throw error;
    }
  });
  return refused < 0 ? graph.nodes.length : refused;
}

function inputScope(
  { inputs, weights }: Graph,
  bindings: Readonly<Record<string, number>>,
  elements?: ReadonlyMap<string, number>,
): Scope {
  const scope = new Scope();
  for (const input of inputs) {
    if (weights.has(input.name)) continue;
    const value = bindInput(input, bindings);
    const element = elements?.get(input.name);
    const isFilled = element !== undefined && hasContents(value.type, value.dims);
    scope.define(
      input.name,
      isFilled ? { ...value, contents: new Array<number>(elementCount(value.dims)).fill(element) } : value,
    );
  }
  return scope;
}

function bindInput({ name, type, dims }: ValueInfo, bindings: Readonly<Record<string, number>>): Evaluated {
  const sizes = dims.map((dim) => {
    if (typeof dim === "number") return dim;
    const size = Object.hasOwn(bindings, dim) ? bindings[dim] : undefined;
    if (size !== undefined) return size;
    throw new RingrankError(
      "RR_GRAPH",
      `input ${name}: expected a size for its symbolic dimension ${dim}; sizes are known for ${Object.keys(bindings)}`,
    );
  });
  return { type, dims: sizes };
}

function evaluateNodes(graph: Branch, scope: Scope, branches: Branches): void {
  defineWeights(graph, scope);
  graph.nodes.forEach((node, index) => {
    evaluateNode(node, index, scope, branches);
  });
}

function defineWeights({ weights }: Branch, scope: Scope): void {
  for (const [name, weight] of weights) scope.define(name, new WeightValue(weight));
}

function evaluateNode(node: GraphNode, index: number, scope: Scope, branches: Branches): void {
  const context = new NodeContext(node, index, readInputs(scope, node, index));
  const outputs = node.opType === "If" ? evaluateIf(context, scope, branches) : applyRule(context);
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
}

function applyRule(context: NodeContext): readonly Evaluated[] {
  const rule = shapeRules.get(operatorName(context.node));
  return rule === undefined ? refuseOperator(context) : rule(context);
}

function refuseOperator({ node, index }: NodeContext): never {
  throw new RingrankError(
    "RR_GRAPH",
    `node ${index}: no shape rule for ${operatorName(node)}; add one to the family it belongs to in ` +
      "packages/policy/src/shapes/operators",
  );
}

/** The branch taken, in the node's own scope; or both, which must have the same shapes. */
function evaluateIf(context: NodeContext, scope: Scope, branches: Branches): readonly Evaluated[] {
  const condition = context.input(0).contents?.[0];
  if (branches === "taken" && condition !== undefined) {
    return evaluateBranch(context, condition !== 0 ? "then_branch" : "else_branch", scope);
  }
  const yes = evaluateBranch(context, "then_branch", new Scope(scope));
  const no = evaluateBranch(context, "else_branch", new Scope(scope));
  return yes.map((value, i) => {
    const other = no[i];
    if (describe(value) !== describe(other)) {
      context.fail(
        `both branches to give output ${i} the same shape, because either may be taken, not ` +
          `${describe(value)} and ${describe(other)}`,
      );
    }
    return { type: value.type, dims: value.dims };
  });
}

function evaluateBranch(context: NodeContext, name: string, scope: Scope): readonly Evaluated[] {
  const branch = context.graph(name);
  evaluateNodes(branch, scope, "taken");
  return branch.outputs.map(
    (output) => scope.get(output.name) ?? context.fail(`${name} to define its output ${output.name}`),
  );
}
