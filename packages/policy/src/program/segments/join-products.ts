import { type GraphNode, int, intAttribute, type Weight } from "@ringrank/model";
import type { WeightShard } from "@ringrank/model/weights";
import { appendTo } from "../../append-to.js";
import { inlineWeight, int64Tensor } from "../../graph/constants.js";
import { FreshNames } from "../../graph/fresh-names.js";
import { makeNode } from "../../graph/make-node.js";
import { operatorName } from "../../graph/operator-name.js";
import { Wiring } from "../../graph/wiring.js";
import { concatenationOf } from "../local/concatenation.js";
import type { SegmentContext } from "./segment.js";

/** The nodes of one segment, after products of the same input have been joined. */
export interface JoinedProducts {
  readonly nodes: readonly GraphNode[];
  /** By name of a new weight: the shards of which it is the concatenation. */
  readonly weights: ReadonlyMap<string, readonly string[]>;
  /** New constants. */
  readonly constants: ReadonlyMap<string, Weight>;
}

/**
 * Joins the products of one input, such as a layer's queries, keys and values:
 *
 *     x·Aᵀ, x·Bᵀ + b, …   →   Split( x·[A; B; …]ᵀ + [a; b; …] )
 *
 * Weights with one row for each column of the result only have to be adjacent for that. Those of a plain MatMul would
 * have to be interleaved, and stay separate. Each weight must be read here and nowhere else. Parts that are only
 * concatenated again are not split; if all products have biases, the sum is joined too.
 *
 * This saves nodes, whose fixed cost counts at one row, and rounds x to int8 once, if it is rounded. The Split that
 * gate and up need copies the rows. Measured against two products, it costs less than it saves at one row, in fp32 and
 * in int4, and makes no difference at 256.
 *
 * @param needed names of values that are read outside of the segment
 */
export function joinProducts(
  nodes: readonly GraphNode[],
  needed: ReadonlySet<string>,
  context: SegmentContext,
): JoinedProducts {
  return new Joiner(nodes, needed, context).run();
}

/** A product that may be joined with others, and the sum that adds its bias, if there is one. */
interface Product {
  readonly node: GraphNode;
  /** Columns of its result: the size of the last axis. */
  readonly columns: number;
  readonly sum: { readonly node: GraphNode; readonly bias: string } | undefined;
}

/** The result of some joined products: one value, with the columns of its parts. */
interface Piece {
  readonly value: string;
  readonly parts: readonly Product[];
  /** The Concat that is no longer needed. */
  readonly concat?: GraphNode;
}

/** The input slots that an operator lays out by the columns of its result. */
interface Slots {
  /** Weights with one or more rows for each column. */
  readonly byColumn: readonly number[];
  /** The bias, which is added to each row of the product. */
  readonly bias?: number;
}

const slotsByOperator: Readonly<Record<string, Slots>> = {
  Gemm: { byColumn: [1], bias: 2 },
  "com.microsoft::FusedMatMul": { byColumn: [1] },
  // Values, scales, zero points. Products that read x in a different order (slot 4) are not joined.
  "com.microsoft::MatMulNBits": { byColumn: [1, 2, 3], bias: 5 },
};

class Joiner {
  readonly #nodes: readonly GraphNode[];
  readonly #context: SegmentContext;
  readonly #wiring: Wiring;
  readonly #names: FreshNames;
  /** The replacement of a node, if it is replaced. */
  readonly #instead = new Map<GraphNode, readonly GraphNode[]>();
  readonly #weights = new Map<string, readonly string[]>();
  readonly #constants = new Map<string, Weight>();

  constructor(nodes: readonly GraphNode[], needed: ReadonlySet<string>, context: SegmentContext) {
    this.#nodes = nodes;
    this.#context = context;
    this.#wiring = new Wiring(nodes, needed);
    const { values, shards, constants } = context;
    const made = new Set(nodes.flatMap(({ outputs }) => outputs));
    this.#names = new FreshNames((name) =>
      [values, shards, constants, made].some((taken) => taken.has(name)),
    );
  }

  run(): JoinedProducts {
    for (const products of this.#alike()) if (products.length > 1) this.#join(products);
    return {
      nodes: this.#nodes.flatMap((node) => this.#instead.get(node) ?? [node]),
      weights: this.#weights,
      constants: this.#constants,
    };
  }

  /** Groups of products that only differ in the contents of their weights and in their number of columns. */
  #alike(): Iterable<Product[]> {
    const groups = new Map<string, Product[]>();
    for (const node of this.#nodes) {
      const columns = this.#columnsOf(node);
      if (columns === undefined) continue;
      const { N: _, ...attributes } = node.attributes;
      const weights = node.inputs.slice(1).map((name) => this.#rowKind(name, columns));
      const key = JSON.stringify([operatorName(node), node.inputs[0], attributes, weights]);
      const product = { node, columns, sum: this.#sumOf(node, columns) };
      appendTo(groups, key, product);
    }
    return groups.values();
  }

  /** The number of columns of a product; undefined if it cannot be joined. */
  #columnsOf(node: GraphNode): number | undefined {
    const slots = slotsByOperator[operatorName(node)];
    if (slots === undefined) return undefined;
    const matrix = this.#ownShard(node.inputs[1]);
    if (matrix === undefined) return undefined;
    const { N } = node.attributes;
    // A matrix that is not transposed has a column for each, and a stack of matrices has rows of its own.
    if (N === undefined && (intAttribute(node, "transB", 0) === 0 || matrix.dims.length !== 2))
      return undefined;
    const columns = intAttribute(node, "N", matrix.dims[0]!);
    const fits = node.inputs.every((name, slot) => {
      if (slot === 0 || name === "") return true;
      const dims = this.#ownShard(name)?.dims;
      if (dims === undefined) return false;
      if (slot === slots.bias) return dims.length === 1 && dims[0] === columns;
      return slots.byColumn.includes(slot) && dims[0]! % columns === 0;
    });
    return fits ? columns : undefined;
  }

  /** The shard `name`, if only one node of one segment reads it. */
  #ownShard(name: string | undefined): WeightShard | undefined {
    if (name === undefined || this.#wiring.soleReader(name) === undefined) return undefined;
    return (this.#context.uses.get(name) ?? 0) > 1 ? undefined : this.#context.shards.get(name);
  }

  /** The properties that shards must share to be concatenated: everything except the number of columns. */
  #rowKind(name: string, columns: number): unknown {
    if (name === "") return "";
    const { weight, dims } = this.#context.shards.get(name)!;
    return [weight.type, dims[0]! / columns, ...dims.slice(1)];
  }

  /** The Add of a bias, if it is the only reader of a product. */
  #sumOf(product: GraphNode, columns: number): Product["sum"] {
    const node = this.#wiring.soleReadingNode(product.outputs[0]!);
    if (node?.opType !== "Add") return undefined;
    const bias = node.inputs.find((name) => name !== product.outputs[0])!;
    const dims = this.#ownShard(bias)?.dims;
    return dims?.length === 1 && dims[0] === columns ? { node, bias } : undefined;
  }

  #join(products: readonly Product[]): void {
    const haveSums = products.every(({ sum }) => sum !== undefined);
    const given = (product: Product): string => (haveSums ? product.sum!.node : product.node).outputs[0]!;
    const pieces = this.#pieces(products, given);
    const parts = pieces.flatMap((piece) => piece.parts);
    const [only] = pieces;
    const value = pieces.length === 1 ? only!.value : this.#joinNames(parts.map(given));

    const product = this.#product(
      parts,
      haveSums ? this.#joinNames(parts.map(({ node }) => node.outputs[0]!)) : value,
    );
    const nodes = [product];
    if (haveSums) {
      const bias = this.#joinWeights(parts.map(({ sum }) => sum!.bias));
      nodes.push(makeNode("Add", [product.outputs[0]!, bias], value));
    }
    if (pieces.length > 1) nodes.push(this.#split(value, pieces));

    for (const { node, sum } of products) {
      this.#instead.set(node, []);
      if (haveSums) this.#instead.set(sum!.node, []);
    }
    for (const { concat } of pieces) if (concat !== undefined) this.#instead.set(concat, []);
    // At the place of the first product, everything that they read has been computed.
    this.#instead.set(products[0]!.node, nodes);
  }

  /** Groups products by their readers: those that only a Concat reads, in its order, form one piece. */
  #pieces(products: readonly Product[], given: (product: Product) => string): Piece[] {
    const byValue = new Map(products.map((product) => [given(product), product]));
    const pieces: Piece[] = [];
    for (const [value, product] of byValue) {
      if (pieces.some(({ parts }) => parts.includes(product))) continue;
      const joined = concatenationOf(value, byValue, this.#wiring, this.#context.values);
      if (joined === undefined) pieces.push({ value, parts: [product] });
      else pieces.push({ value: joined.node.outputs[0]!, parts: joined.parts, concat: joined.node });
    }
    return pieces;
  }

  #product(parts: readonly Product[], output: string): GraphNode {
    const { node } = parts[0]!;
    const inputs = node.inputs.map((name, slot) =>
      slot === 0 || name === "" ? name : this.#joinWeights(parts.map((part) => part.node.inputs[slot]!)),
    );
    const N = int(parts.reduce((sum, { columns }) => sum + columns, 0));
    const attributes = node.attributes.N === undefined ? node.attributes : { ...node.attributes, N };
    return { ...node, inputs, outputs: [output], attributes };
  }

  #joinWeights(names: readonly string[]): string {
    const joined = this.#joinNames(names);
    this.#weights.set(joined, names);
    return joined;
  }

  #joinNames(names: readonly string[]): string {
    return this.#names.after(names.join("|"));
  }

  #split(value: string, pieces: readonly Piece[]): GraphNode {
    const widths = pieces.map(({ parts }) => parts.reduce((sum, { columns }) => sum + columns, 0));
    const sizes = this.#names.after(`sizes of ${value}`);
    this.#constants.set(sizes, inlineWeight(int64Tensor(widths)));
    const outputs = pieces.map((piece) => piece.value);
    return makeNode("Split", [value, sizes], outputs, { axis: int(-1) });
  }
}
