import type { TensorData, Value } from "@ringrank/model";
import type { GraphWithContents } from "./split-and-whole.js";
import { microsoft, TestGraph } from "./test-graph.js";

/** The choices that determine a graph; fast-check shrinks them. */
export interface Recipe {
  readonly seed: number;
  readonly keyHeads: number;
  readonly group: number;
  readonly lanes: number;
  readonly inner: number;
  readonly vocabulary: number;
  readonly blocks: readonly Block[];
}

/** A block adds to the residual stream; `parallel` ones read the input of the preceding block. */
export interface Block {
  readonly kind: "attention" | "fused attention" | "feed-forward" | "gated" | "convolution";
  /** How queries, keys and values, or gate and up, are stored in one weight. */
  readonly layout: "apart" | "thirds" | "interleaved";
  readonly parallel: boolean;
  readonly bias: boolean;
  readonly products: Products;
}

/**
 * The kinds of weights: floats; int8 by column or by block of rows, dequantized; int8 multiplied by quantized
 * activations.
 */
export type Products = "real" | "by column" | "by block" | "integer";

/** `ids [batch, sequence] → logits [batch, sequence, vocabulary]`, through random blocks of a random shape. */
export function randomGraph(recipe: Recipe): GraphWithContents {
  return new Grower(recipe).grow();
}

class Grower {
  readonly #g: TestGraph;
  readonly #recipe: Recipe;
  readonly #width = 12;
  #products: Products = "real";

  constructor(recipe: Recipe) {
    this.#recipe = recipe;
    this.#g = new TestGraph(recipe.seed);
  }

  grow(): GraphWithContents {
    const g = this.#g;
    const { vocabulary, blocks } = this.#recipe;
    const ids = g.input("ids", "int64", ["batch", "sequence"]);
    const table = g.parameter([vocabulary, this.#width]);
    let x = g.gather(table, ids, 0);
    let read = x;
    for (const block of blocks) {
      this.#products = block.products;
      if (!block.parallel) read = this.#norm(x);
      x = g.add(x, this.#block(read, block));
    }
    const logits = g.matmulTransposed(this.#norm(x), table);
    g.output("logits", logits, "float32", ["batch", "sequence", vocabulary]);
    return { graph: g.build(), contents: g.contents };
  }

  #block(x: Value, block: Block): Value {
    if (block.kind === "attention") return this.#attention(x, block);
    if (block.kind === "fused attention") return this.#fusedAttention(x, block);
    if (block.kind === "convolution") return this.#convolution(x, block);
    const g = this.#g;
    const { inner } = this.#recipe;
    const hidden =
      block.kind === "gated" ? this.#gated(x, block) : g.relu(this.#linear(x, inner, block.bias));
    return this.#linear(hidden, this.#width, block.bias, inner);
  }

  #gated(x: Value, { layout, bias }: Block): Value {
    const g = this.#g;
    const { inner } = this.#recipe;
    if (layout === "apart") return g.mul(g.relu(this.#linear(x, inner, bias)), this.#linear(x, inner, bias));
    const fused = this.#linear(x, 2 * inner, bias);
    const parts =
      layout === "thirds"
        ? g.split(fused, [inner, inner], 2)
        : g.split(g.reshape(fused, [0, 0, inner, 2]), [1, 1], 3).map((part) => g.squeeze(part, [3]));
    return g.mul(g.relu(parts[0]!), parts[1]!);
  }

  #attention(x: Value, { layout, bias }: Block): Value {
    const g = this.#g;
    const { keyHeads, group, lanes } = this.#recipe;
    const heads = keyHeads * group;
    const [q, k, v] = this.#queriesKeysValues(x, layout, bias);
    const stacked = g.reshape(q!, [0, keyHeads, -1, lanes]);
    const scores = g.matmulTransposed(stacked, k!, 1 / Math.sqrt(lanes));
    const mixed = g.reshape(g.matmul(g.softmax(scores), v!), [0, heads, -1, lanes]);
    const joined = g.reshape(g.transpose(mixed, [0, 2, 1, 3]), [0, 0, heads * lanes]);
    return this.#linear(joined, this.#width, bias, heads * lanes);
  }

  /** In one operator: with heads as an axis, with a packed weight, or with merged heads that attributes count. */
  #fusedAttention(x: Value, { layout, bias }: Block): Value {
    const g = this.#g;
    const { keyHeads, group, lanes } = this.#recipe;
    const heads = keyHeads * group;
    const finish = (mixed: Value): Value => this.#linear(mixed, this.#width, bias, heads * lanes);
    if (layout === "interleaved") {
      const [q, k, v] = this.#queriesKeysValues(x, layout, bias);
      const mixed = g.apply("Attention", [q, k, v], { is_causal: 1 });
      return finish(g.reshape(g.transpose(mixed, [0, 2, 1, 3]), [0, 0, heads * lanes]));
    }
    if (layout === "thirds") {
      const packed = 3 * heads * lanes;
      const inputs = [x, g.parameter([this.#width, packed]), g.parameter([packed])];
      return finish(g.apply(`Attention@${microsoft}`, inputs, { num_heads: heads }));
    }
    const [q, k, v] = [heads, keyHeads, keyHeads].map((count) => this.#linear(x, count * lanes, bias));
    const counts = { q_num_heads: heads, kv_num_heads: keyHeads };
    return finish(g.apply("Attention", [q, k, v], counts));
  }

  /** Along the sequence: projects to inner channels, convolves them depthwise or in groups, and projects back. */
  #convolution(x: Value, { layout, bias }: Block): Value {
    const g = this.#g;
    const { inner } = this.#recipe;
    const conv = (from: Value, outputs: number, inputs: number, size: number, group = 1): Value =>
      g.apply(
        "Conv",
        [from, g.parameter([outputs, inputs / group, size]), ...(bias ? [g.parameter([outputs])] : [])],
        { group, pads: [(size - 1) / 2, (size - 1) / 2] },
      );
    const wide = g.relu(conv(g.transpose(x, [0, 2, 1]), 2 * inner, this.#width, 1));
    const group = { apart: 1, thirds: inner, interleaved: 2 * inner }[layout];
    const mixed = g.relu(conv(wide, 2 * inner, 2 * inner, 3, group));
    return g.transpose(conv(mixed, this.#width, 2 * inner, 1), [0, 2, 1]);
  }

  /** Queries `[batch, heads, sequence, lanes]`; keys and values with key heads. */
  #queriesKeysValues(x: Value, layout: Block["layout"], bias: boolean): Value[] {
    const g = this.#g;
    const { keyHeads, group, lanes } = this.#recipe;
    const counts = [keyHeads * group, keyHeads, keyHeads];
    const perHead = (value: Value, count: number): Value =>
      g.transpose(g.reshape(value, [0, 0, count, lanes]), [0, 2, 1, 3]);
    if (layout === "apart")
      return counts.map((count) => perHead(this.#linear(x, count * lanes, bias), count));
    const fused = this.#linear(
      x,
      counts.reduce((sum, count) => sum + count * lanes, 0),
      bias,
    );
    if (layout === "thirds") {
      const parts = g.split(
        fused,
        counts.map((count) => count * lanes),
        2,
      );
      return parts.map((part, index) => perHead(part, counts[index]!));
    }
    // Each key head is stored next to its queries: keyHeads · (group + 1 + 1) · lanes.
    const units = g.reshape(fused, [0, 0, keyHeads, group + 2, lanes]);
    const parts = g.split(units, [group, 1, 1], 3);
    return parts.map((part, index) => perHead(part, counts[index]!));
  }

  #norm(x: Value): Value {
    const g = this.#g;
    return g.layerNormalization(x, g.parameter([this.#width]), g.parameter([this.#width]), 1e-5);
  }

  #linear(x: Value, outputs: number, bias: boolean, inputs = this.#width): Value {
    const product = this.#product(x, inputs, outputs);
    return bias ? this.#g.add(product, this.#g.parameter([outputs])) : product;
  }

  #product(x: Value, inputs: number, outputs: number): Value {
    const g = this.#g;
    if (this.#products === "real") return g.matmul(x, g.parameter([inputs, outputs]));
    const weight = g.quantized("int8", [inputs, outputs]);
    if (this.#products === "integer") {
      const [rounded, scale, zero] = g.applyAll("DynamicQuantizeLinear", [x], 3);
      const sum = g.apply("MatMulInteger", [rounded, weight, zero]);
      return g.mul(g.cast(sum, "float32"), g.mul(scale!, g.scales([outputs], 1 / 256)));
    }
    // Blocks of 2 rows, if these fill the axis.
    const isByBlock = this.#products === "by block" && inputs % 2 === 0;
    const scales = isByBlock ? g.scales([inputs / 2, outputs], 1 / 256) : g.scales([outputs], 1 / 256);
    const attributes = isByBlock ? { axis: 0, block_size: 2 } : { axis: 1 };
    return g.matmul(x, g.apply("DequantizeLinear", [weight, scales], attributes));
  }
}

/** The selected elements of a row-major tensor. */
export function select(
  data: TensorData,
  dims: readonly number[],
  selection: readonly (readonly (readonly [number, number])[])[],
): TensorData {
  const selected = data.slice();
  let count = 0;
  const copy = (axis: number, offset: number): void => {
    if (axis === dims.length) {
      selected[count++] = data[offset]!;
      return;
    }
    for (const [start, end] of selection[axis]!) {
      for (let index = start; index < end; index++) copy(axis + 1, offset * dims[axis]! + index);
    }
  };
  copy(0, 0);
  return selected.subarray(0, count);
}
