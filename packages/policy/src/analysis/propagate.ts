import { type Graph, type GraphNode, keptStates } from "@ringrank/model";
import { type Dim, freshDim, keepWhole } from "../factors/factor.js";
import { unify } from "../factors/unify.js";
import { operatorName } from "../graph/operator-name.js";
import { Wiring } from "../graph/wiring.js";
import type { Precision } from "../precision/precision.js";
import { quantizeExperts } from "../precision/quantize-experts.js";
import { type PreparedGraph, prepareGraph } from "../preparation/prepare-graph.js";
import type { Operand, Operator, Propagation } from "../rules/rule.js";
import { ruleFor } from "../rules/table.js";
import { wholeEverything, wholeOutputs } from "../rules/whole.js";
import { type EvaluatedPair, evaluatePair } from "../shapes/index.js";
import { chooseRowsEarly } from "./asked-rows.js";
import { normsInSums } from "./cut-rows.js";
import type { FactoredGraph, FactoredNode } from "./factored-graph.js";
import { checkEqual, checkSizes, checkThere, doubt, isDoubtful } from "./rule-checks.js";

/**
 * Walks the graph once and lets every operator's rule relate the factors of its inputs and outputs. Bindings are
 * shared, so one forward pass reaches the fixed point. The factors may then show that the graph has to be rewritten and
 * walked again: if routed experts are to be quantized, or if rows with more than one factor are normalized, such as all
 * heads of a layer; those norms become sums.
 */
export function propagateFactors(given: Graph, precision: Precision): FactoredGraph {
  const prepared = chooseRowsEarly(prepareGraph(given, precision));
  const plain = walk(prepared);
  const factored = withGraph(plain, quantizeExperts(plain, precision));
  return withGraph(factored, normsInSums(factored));
}

/** The factors of a graph that was rewritten, or those known if it is the same graph. */
function withGraph(factored: FactoredGraph, graph: Graph): FactoredGraph {
  if (graph === factored.graph) return factored;
  const { values: shapes, symbols } = evaluatePair(graph);
  return walk({ graph, shapes, symbols });
}

function walk({ graph, shapes, symbols }: PreparedGraph): FactoredGraph {
  const values = new Map<string, readonly Dim[]>();
  for (const input of graph.inputs) values.set(input.name, shapes.get(input.name)!.dims.map(freshDim));
  const nodes = graph.nodes.map((node) => factorNode(node, graph, shapes, values));
  relateInterface(graph, values);
  return { graph, nodes, values, shapes, symbols, wiring: Wiring.of(graph) };
}

/** New rows and states stay on the rank that keeps the old ones; all other outputs are whole. */
function relateInterface(graph: Graph, values: ReadonlyMap<string, readonly Dim[]>): void {
  const states = keptStates(graph);
  for (const state of states) {
    const growing = "axis" in state ? state.axis : undefined;
    const given = values.get(state.present)!;
    values.get(state.past)!.forEach((dim, axis) => {
      if (axis !== growing)
        unify(dim, given[axis]!, { operator: "cache", why: "what is kept and what is new differ in shape" });
    });
  }
  const kept = new Set(states.map(({ past }) => past));
  for (const { name } of graph.inputs) {
    if (kept.has(name)) continue;
    for (const dim of values.get(name)!) keepWhole(dim, { operator: "the caller", why: "given whole" });
  }
}

function factorNode(
  node: GraphNode,
  graph: Graph,
  shapes: ReadonlyMap<string, EvaluatedPair>,
  values: Map<string, readonly Dim[]>,
): FactoredNode {
  const operator = viewOperator(node, graph, shapes);
  const inputs = node.inputs.map((name, slot): readonly Dim[] => {
    if (name === "") return [];
    // Every use of a weight starts with fresh factors. Otherwise, a table that is used both as embedding and as head
    // would tie the two together.
    return values.get(name) ?? operator.inputs[slot]!.dims.map(freshDim);
  });
  const contracted: Dim[] = [];
  const compared: Dim[] = [];
  const readInPart: { dim: Dim; count: number }[] = [];
  let cut: readonly Dim[] = [];
  const name = operatorName(node);
  const factors: Propagation = {
    input: (slot) => inputs[slot] ?? [],
    unify(a, b) {
      checkThere(operator, a, b);
      checkEqual(operator, a, b);
      if (isDoubtful(a, b)) for (const dim of [a, b]) keepWhole(dim, { operator: name, ...doubt });
      else unify(a, b, { operator: name, why: "the sizes do not divide alike" });
    },
    whole(dim, why) {
      checkThere(operator, dim);
      keepWhole(dim, { operator: name, why });
    },
    contract(dim) {
      checkThere(operator, dim);
      contracted.push(dim);
    },
    takeLargest: (dim) => compared.push(dim),
    readsSome: (dim, count) => readInPart.push({ dim, count }),
    cut: (parts) => {
      cut = parts;
    },
  };
  const rule = ruleFor(node);
  const given = (rule?.propagate ?? propagateUnruled)(operator, factors);
  const outputs = given.map((dims, index) =>
    operator.outputs[index] === undefined ? dims : checkSizes(operator, index, dims),
  );
  node.outputs.forEach((output, index) => {
    if (output !== "") values.set(output, outputs[index]!);
  });
  const linearity = typeof rule?.linearity === "function" ? rule.linearity(operator) : rule?.linearity;
  return { operator, rule, linearity, inputs, outputs, contracted, compared, readInPart, cut };
}

/** An unknown operator takes and returns whole tensors. */
function propagateUnruled(operator: Operator, factors: Propagation): (readonly Dim[])[] {
  wholeEverything(operator, factors, "no rule for this operator");
  return wholeOutputs(operator, factors, "no rule");
}

function viewOperator(node: GraphNode, graph: Graph, shapes: ReadonlyMap<string, EvaluatedPair>): Operator {
  const view = (name: string): Operand | undefined => {
    if (name === "") return undefined;
    const known = shapes.get(name)!;
    return {
      name,
      type: known.type,
      dims: known.dims,
      isWeight: graph.weights.has(name),
      // Most contents are never needed.
      get contents() {
        return known.contents;
      },
    };
  };
  return { node, inputs: node.inputs.map(view), outputs: node.outputs.map(view) };
}
