import { type Graph, GraphBuilder, type TensorData, type Value } from "@ringrank/model";

/** A graph with the contents of its weights, which lie in no file. */
export interface RandomGraph {
  readonly graph: Graph;
  readonly contents: ReadonlyMap<string, Float32Array>;
}

/** Choices that a graph is made from; fast-check shrinks them. */
export interface Recipe {
  readonly seed: number;
  readonly keyHeads: number;
  readonly group: number;
  readonly lanes: number;
  readonly inner: number;
  readonly vocabulary: number;
  readonly blocks: readonly Block[];
}

/** A block adds to the residual stream; `parallel` ones read what the block before them read. */
export interface Block {
  readonly kind: "attention" | "feed-forward" | "gated";
  /** How queries, keys and values, or gate and up, lie in one weight. */
  readonly layout: "apart" | "thirds" | "interleaved";
  readonly parallel: boolean;
  readonly bias: boolean;
}

/** `ids [batch, sequence] → logits [batch, sequence, vocabulary]`, through random blocks of a random shape. */
export function randomGraph(recipe: Recipe): RandomGraph {
  return new Grower(recipe).grow();
}

class Grower {
  readonly #g = new GraphBuilder();
  readonly #contents = new Map<string, Float32Array>();
  readonly #recipe: Recipe;
  readonly #width = 12;
  #state: number;

  constructor(recipe: Recipe) {
    this.#recipe = recipe;
    this.#state = recipe.seed;
  }

  grow(): RandomGraph {
    const g = this.#g;
    const { vocabulary, blocks } = this.#recipe;
    const ids = g.input("ids", "int64", ["batch", "sequence"]);
    const table = this.#weight(vocabulary, this.#width);
    let x = g.gather(table, ids, 0);
    let read = x;
    for (const block of blocks) {
      if (!block.parallel) read = this.#norm(x);
      x = g.add(x, this.#block(read, block));
    }
    const logits = g.matmulTransposed(this.#norm(x), table);
    g.output("logits", logits, "float32", ["batch", "sequence", vocabulary]);
    return { graph: g.build(), contents: this.#contents };
  }

  #block(x: Value, block: Block): Value {
    if (block.kind === "attention") return this.#attention(x, block);
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
    // Each key head next to its queries: keyHeads · (group + 1 + 1) · lanes.
    const units = g.reshape(fused, [0, 0, keyHeads, group + 2, lanes]);
    const parts = g.split(units, [group, 1, 1], 3);
    return parts.map((part, index) => perHead(part, counts[index]!));
  }

  #norm(x: Value): Value {
    return this.#g.layerNormalization(x, this.#weight(this.#width), this.#weight(this.#width), 1e-5);
  }

  #linear(x: Value, outputs: number, bias: boolean, inputs = this.#width): Value {
    const product = this.#g.matmul(x, this.#weight(inputs, outputs));
    return bias ? this.#g.add(product, this.#weight(outputs)) : product;
  }

  #weight(...dims: readonly number[]): Value {
    const name = `w${this.#contents.size}`;
    const count = dims.reduce((product, size) => product * size, 1);
    this.#contents.set(
      name,
      Float32Array.from({ length: count }, () => this.#next()),
    );
    return this.#g.weight(name, { type: "float32", dims, source: { kind: "absent" } });
  }

  /** Uniform in ±0.5: a linear congruential generator (Numerical Recipes). */
  #next(): number {
    this.#state = (Math.imul(this.#state, 1664525) + 1013904223) >>> 0;
    return this.#state / 2 ** 32 - 0.5;
  }
}

/** The selected elements of a row-major tensor. */
export function select(
  data: TensorData,
  dims: readonly number[],
  selection: readonly (readonly (readonly [number, number])[])[],
): TensorData {
  let offsets = [0];
  for (const [axis, size] of dims.entries()) {
    const indices = selection[axis]!.flatMap(([start, end]) =>
      Array.from({ length: end - start }, (_, i) => start + i),
    );
    offsets = offsets.flatMap((offset) => indices.map((index) => offset * size + index));
  }
  const selected = data.slice(0, offsets.length);
  for (const [at, offset] of offsets.entries()) selected[at] = data[offset]!;
  return selected;
}
