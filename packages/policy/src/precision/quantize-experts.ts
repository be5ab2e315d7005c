import {
  type FileSource,
  floatAttribute,
  type Graph,
  type GraphNode,
  intAttribute,
  type QuantizedSource,
  quantizationBlock,
  type StoredMatrix,
  type Weight,
} from "@ringrank/model";
import { bytesPerElement } from "@ringrank/model/weights";
import type { FactoredGraph, FactoredNode } from "../analysis/factored-graph.js";
import { findRoutedExperts } from "../analysis/routed-experts.js";
import { inlineWeight, int64Tensor } from "../graph/constants.js";
import { FreshNames } from "../graph/fresh-names.js";
import { makeNode } from "../graph/make-node.js";
import { operatorName } from "../graph/operator-name.js";
import { transposesSecondAtMost } from "../graph/transposition.js";
import { productAttributes, productBits, withProducts } from "./block-products.js";
import { floatTypes } from "./constant-matrices.js";
import type { Precision } from "./precision.js";

/**
 * Quantizes the matrices of routed experts: each product with a stack of them becomes a StackedMatMulNBits
 * (rules/operators/quantized-blocks.ts). A rank then multiplies by one expert's matrix at a time, as by any other
 * matrix. Only the factors show which stacks are routed experts, so this comes after `quantizeGraph`.
 */
export function quantizeExperts(factored: FactoredGraph, precision: Precision): Graph {
  const { graph, nodes } = factored;
  if (precision.weights === "float32") return graph;
  const rewriter = new Rewriter(graph, precision);
  const bodies = new Set(findRoutedExperts(factored).flatMap(({ body }) => body));
  const rewritten = nodes.flatMap((node, index) =>
    bodies.has(index) ? rewriter.rewrite(node) : [node.operator.node],
  );
  if (rewriter.weights.size === graph.weights.size) return graph;
  return withProducts(graph, { nodes: rewritten, weights: rewriter.weights });
}

/** The matrices of all experts, `[experts, first, second]`, as stored. */
interface Stack {
  readonly dims: readonly [number, number, number];
  readonly sources: readonly StoredMatrix["source"][];
}

class Rewriter {
  readonly weights: Map<string, Weight>;
  readonly #graph: Graph;
  readonly #precision: Precision;
  readonly #names: FreshNames;
  /** By name of a value `[rows, …]`: the name of the same value as `[1, rows, …]`. */
  readonly #unsqueezed = new Map<string, string>();

  constructor(graph: Graph, precision: Precision) {
    this.#graph = graph;
    this.weights = new Map(graph.weights);
    this.#precision = precision;
    this.#names = FreshNames.notIn(graph);
  }

  /** The nodes that replace a node of a body: the node itself if it is not a product with a stack. */
  rewrite({ operator }: FactoredNode): readonly GraphNode[] {
    const { node, inputs } = operator;
    const [x, matrix] = inputs;
    const turned = readsTurned(node);
    if (x?.type !== "float32" || x.isWeight || matrix === undefined) return [node];
    const stack = stackOf(this.#graph.weights.get(matrix.name));
    if (turned === undefined || stack === undefined) return [node];
    const [, first, second] = stack.dims;
    const [K, N] = turned ? [second, first] : [first, second];
    const names = this.#quantize(matrix.name, stack, !turned);
    const { before, value } = x.dims.length === 2 ? this.#unsqueeze(x.name) : { before: [], value: x.name };
    const attributes = productAttributes(this.#precision, K, N);
    const product = makeNode("ringrank::StackedMatMulNBits", [value, ...names], node.outputs, attributes);
    return [...before, product];
  }

  #unsqueeze(x: string): { readonly before: readonly GraphNode[]; readonly value: string } {
    const known = this.#unsqueezed.get(x);
    if (known !== undefined) return { before: [], value: known };
    const value = this.#names.after(`${x}·rows`);
    const axes = this.#names.numbered("axes");
    this.weights.set(axes, inlineWeight(int64Tensor([0])));
    this.#unsqueezed.set(x, value);
    return { before: [makeNode("Unsqueeze", [x, axes], value)], value };
  }

  /** The values and scales of a stack, whose matrices have a row for each column of the product. */
  #quantize(name: string, { dims, sources }: Stack, transposed: boolean): readonly [string, string] {
    const [experts, first, second] = dims;
    const [rows, columns] = transposed ? [second, first] : [first, second];
    const blocks = Math.ceil(columns / quantizationBlock);
    const bits = productBits(this.#precision);
    const source = (part: QuantizedSource["part"]): Weight["source"] => {
      const parts = sources.map((source): QuantizedSource => {
        return { kind: "quantized", part, bits, matrix: { dims: [first, second], transposed, source } };
      });
      return { kind: "stack", parts };
    };
    const label = `${name}·int${bits}${transposed ? "·turned" : ""}`;
    const names = [this.#names.after(label), this.#names.after(`${label}·scales`)] as const;
    const values = [experts, rows, blocks, (quantizationBlock * bits) / 8];
    this.weights.set(names[0], { type: "uint8", dims: values, source: source("values") });
    this.weights.set(names[1], { type: "float32", dims: [experts, rows, blocks], source: source("scales") });
    return names;
  }
}

/** Whether a product transposes its second operand; undefined if the node is not a plain product. */
function readsTurned(node: GraphNode): boolean | undefined {
  const operator = operatorName(node);
  if (operator === "MatMul") return false;
  if (operator !== "com.microsoft::FusedMatMul" || floatAttribute(node, "alpha", 1) !== 1) return undefined;
  return transposesSecondAtMost(node) ? intAttribute(node, "transB", 0) !== 0 : undefined;
}

/** The matrices in a stack; undefined if the weight is not a stack of floating-point matrices in files. */
function stackOf(weight: Weight | undefined): Stack | undefined {
  if (weight?.type !== "float32" || weight.dims.length !== 3) return undefined;
  const dims = weight.dims as readonly number[] as Stack["dims"];
  const sources = sourcesOf(weight.source, dims);
  const areFloats = sources?.every((source) => source.kind === "absent" || floatTypes.has(source.storedAs));
  return sources?.length === dims[0] && areFloats ? { dims, sources } : undefined;
}

function sourcesOf(
  source: Weight["source"],
  [experts, first, second]: Stack["dims"],
): readonly StoredMatrix["source"][] | undefined {
  switch (source.kind) {
    case "absent":
      return Array.from({ length: experts }, () => source);
    case "file": {
      const bytes = first * second * bytesPerElement[source.storedAs];
      return Array.from({ length: experts }, (_, expert): FileSource => {
        return { ...source, offset: source.offset + expert * bytes };
      });
    }
    case "stack":
      return source.parts.flatMap((part) => (part.kind === "file" ? [part] : []));
    default:
      return undefined;
  }
}
