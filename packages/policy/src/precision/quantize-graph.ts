import {
  floatAttribute,
  type Graph,
  type GraphNode,
  intAttribute,
  type QuantizedSource,
  quantizationBlock,
  type Weight,
} from "@ringrank/model";
import { rankedValues } from "../analysis/ranked.js";
import { float32Scalar, inlineWeight } from "../graph/constants.js";
import { FreshNames } from "../graph/fresh-names.js";
import { makeNode } from "../graph/make-node.js";
import { operatorName } from "../graph/operator-name.js";
import { transposesSecondAtMost } from "../graph/transposition.js";
import { intAttributes, productAttributes, productBits, withProducts } from "./block-products.js";
import { ConstantMatrices, type ConstantMatrix } from "./constant-matrices.js";
import type { Precision } from "./precision.js";

/**
 * The same graph with its parameter matrices quantized, found by dataflow alone:
 *
 * - a product of fp32 activations with a constant matrix becomes a MatMulNBits, of 4 or 8 bits;
 * - a lookup in a constant table becomes a GatherBlockQuantized, always of 8 bits: with 4, lookups would cost the
 *   embedded model as much perplexity as all its products together;
 * - a product whose result is ranked (by a `TopK` that chooses the experts of a row) is unchanged, because choosing
 *   another expert is not a small error; so are stacks of matrices (see `quantize-experts.ts` for those of experts),
 *   and anything that is not a matrix: biases, norms, convolutions.
 *
 * Weights stay references. The contents of the graph's `If`s are ignored; they have been inlined before.
 *
 * @param typeOf returns the element type of a value of the graph
 */
export function quantizeGraph(
  graph: Graph,
  precision: Precision,
  typeOf: (value: string) => string | undefined,
): Graph {
  if (precision.weights === "float32") return graph;
  const rewriter = new Rewriter(graph, precision, typeOf);
  const nodes = graph.nodes.flatMap((node) => rewriter.rewrite(node));
  return withProducts(graph, { nodes, weights: rewriter.weights });
}

class Rewriter {
  readonly weights: Map<string, Weight>;
  readonly #precision: Precision;
  readonly #typeOf: (value: string) => string | undefined;
  readonly #matrices: ConstantMatrices;
  readonly #ranked: ReadonlySet<string>;
  readonly #names: FreshNames;
  /** By matrix, orientation and bits: the names of its values and scales. */
  readonly #quantized = new Map<string, readonly [string, string]>();

  constructor(graph: Graph, precision: Precision, typeOf: (value: string) => string | undefined) {
    this.weights = new Map(graph.weights);
    this.#precision = precision;
    this.#typeOf = typeOf;
    this.#matrices = new ConstantMatrices(graph);
    this.#ranked = rankedValues(graph.nodes);
    this.#names = FreshNames.notIn(graph);
  }

  /** The replacement of a node: itself, if nothing of it is quantized. */
  rewrite(node: GraphNode): readonly GraphNode[] {
    switch (operatorName(node)) {
      case "MatMul":
        return this.#product(node, { turned: false, alpha: 1 });
      case "com.microsoft::FusedMatMul":
        if (!transposesSecondAtMost(node)) return [node];
        return this.#product(node, { turned: isTurned(node), alpha: floatAttribute(node, "alpha", 1) });
      case "Gemm":
        if (intAttribute(node, "transA", 0) !== 0) return [node];
        return this.#product(node, { turned: isTurned(node), alpha: floatAttribute(node, "alpha", 1) });
      case "Gather":
        return this.#lookup(node);
      default:
        return [node];
    }
  }

  /** `alpha · A·B + beta · C`; only a Gemm has a C. */
  #product(
    node: GraphNode,
    { turned, alpha }: { readonly turned: boolean; readonly alpha: number },
  ): readonly GraphNode[] {
    const [a, b, c = ""] = node.inputs as [string, string, string?];
    const [output] = node.outputs as [string];
    const matrix = this.#matrices.of(b);
    const isFit = matrix !== undefined && this.#typeOf(a) === "float32" && this.#typeOf(b) === "float32";
    if (!isFit || this.#matrices.of(a) !== undefined || this.#ranked.has(output)) return [node];
    const [columns, rows] = turned ? [matrix.dims[1], matrix.dims[0]] : matrix.dims;
    // B is [columns, rows] as the product reads it, or [rows, columns] if the product transposes it.
    const [values, scales] = this.#quantize(matrix, matrix.turned === turned, productBits(this.#precision));
    const before = alpha === 1 ? [] : [this.#scaled(a, alpha)];
    const beta = floatAttribute(node, "beta", 1);
    const added = c === "" || beta === 1 ? [] : [this.#scaled(c, beta)];
    const product = makeNode(
      "com.microsoft::MatMulNBits",
      [before[0]?.outputs[0] ?? a, values, scales],
      c === "" ? output : this.#names.after(`${output}·product`),
      productAttributes(this.#precision, columns, rows),
    );
    if (c === "") return [...before, product];
    const sum = makeNode("Add", [product.outputs[0]!, added[0]?.outputs[0] ?? c], output);
    return [...before, product, ...added, sum];
  }

  #lookup(node: GraphNode): readonly GraphNode[] {
    const [table, indices] = node.inputs as [string, string];
    const matrix = this.#matrices.of(table);
    const isFit =
      matrix !== undefined &&
      !matrix.turned &&
      intAttribute(node, "axis", 0) === 0 &&
      matrix.dims[0] > 1 &&
      matrix.dims[1] % quantizationBlock === 0 &&
      this.#typeOf(table) === "float32" &&
      !this.weights.has(indices);
    if (!isFit) return [node];
    const [values, scales] = this.#quantize(matrix, false, 8, "rows");
    const attributes = intAttributes({
      bits: 8,
      block_size: quantizationBlock,
      gather_axis: 0,
      quantize_axis: 1,
    });
    const inputs = [values, indices, scales];
    return [makeNode("com.microsoft::GatherBlockQuantized", inputs, node.outputs, attributes)];
  }

  #scaled(value: string, factor: number): GraphNode {
    const constant = this.#names.after(`${value}·factor`);
    this.weights.set(constant, inlineWeight(float32Scalar(factor)));
    return makeNode("Mul", [value, constant], this.#names.after(`${value}·scaled`));
  }

  /** The two weights of a matrix with one row for each column of the product. */
  #quantize(
    { name, stored }: ConstantMatrix,
    transposed: boolean,
    bits: 4 | 8,
    layout: "blocks" | "rows" = "blocks",
  ): readonly [string, string] {
    const label = `${name}·int${bits}${layout === "rows" ? "·table" : ""}${transposed ? "·turned" : ""}`;
    const known = this.#quantized.get(label);
    if (known !== undefined) return known;
    const [rows, columns] = transposed ? [stored.dims[1], stored.dims[0]] : stored.dims;
    const blocks = Math.ceil(columns / quantizationBlock);
    const source = (part: QuantizedSource["part"]): QuantizedSource => ({
      kind: "quantized",
      part,
      bits,
      matrix: { ...stored, transposed },
    });
    const names = [this.#names.after(label), this.#names.after(`${label}·scales`)] as const;
    const blockBytes = (quantizationBlock * bits) / 8;
    const dims = layout === "rows" ? [rows, blocks * blockBytes] : [rows, blocks, blockBytes];
    this.weights.set(names[0], { type: "uint8", dims, source: source("values") });
    this.weights.set(names[1], { type: "float32", dims: [rows, blocks], source: source("scales") });
    this.#quantized.set(label, names);
    return names;
  }
}

function isTurned(node: GraphNode): boolean {
  return intAttribute(node, "transB", 0) !== 0;
}
