import type { Value } from "@ringrank/model";
import type { TestGraph } from "./test-graph.js";

/** The form in which an export writes attention; fast-check shrinks the choices. */
export interface AttentionForm {
  /** How queries, keys and values are stored in one weight, or that they have separate weights. */
  readonly layout: (typeof layouts)[number];
  /** How each key head is repeated for the queries of its group. */
  readonly repeat: "expand" | "gather" | "tile" | "apart";
  readonly positions: "none" | "halves turned" | "pairs turned" | "slopes" | "buckets" | "table by head";
  readonly norm: "none" | "by head" | "by head, weights of its own" | "over all heads";
  readonly mask: "none" | "causal" | "given";
  /** Whether the sizes of reshapes are computed from shapes. */
  readonly computed: boolean;
  readonly scores: "softmax" | "softmax, capped" | "softmax with a sink" | "mixed by head" | "none";
  /** How the output is projected: by one matrix, or by one per head. */
  readonly end: "joined" | "by head" | "gated";
}

export const layouts = [
  "apart",
  "one after the other",
  "one after the other, sliced",
  "by group",
  "by group, sliced",
  "stacked in front",
  "by blocks of a few groups",
] as const;

export interface Heads {
  readonly keys: number;
  readonly group: number;
  readonly lanes: number;
}

/** What attention needs from the graph around it. */
export interface Surroundings {
  readonly g: TestGraph;
  readonly heads: Heads;
  /** float32 `[batch, sequence]`: 1 for tokens that count. */
  readonly mask: Value;
  readonly linear: (x: Value, inputs: number, outputs: number) => Value;
}

const [longest, buckets] = [40, 5] as const;

/** Maps `[batch, sequence, width]` to the same shape, and returns what a cache would keep: keys and values by head. */
export class RandomAttention {
  readonly #g: TestGraph;
  readonly #form: AttentionForm;
  readonly #heads: Heads;
  readonly #around: Surroundings;

  constructor(form: AttentionForm, around: Surroundings) {
    this.#g = around.g;
    this.#heads = around.heads;
    this.#form = form;
    this.#around = around;
  }

  build(x: Value, width: number): { readonly y: Value; readonly keys: Value } {
    const g = this.#g;
    const { lanes } = this.#heads;
    const [q, k, v] = this.#project(x, width).map((value) => this.#byHead(value)) as [Value, Value, Value];
    const [turnedQ, turnedK] = [q, k].map((value) => this.#turned(value, x)) as [Value, Value];
    const [keys, values] = [turnedK, v].map((value) => this.#repeated(value)) as [Value, Value];
    let scores = g.matmul(turnedQ, g.transpose(keys, [0, 1, 3, 2]));
    scores = g.mul(scores, g.numbers([1 / Math.sqrt(lanes)]));
    scores = this.#masked(this.#capped(this.#biased(scores, x)), x);
    const mixed = g.matmul(this.#weighed(scores), values);
    return { y: this.#toStream(mixed, x, width), keys: turnedK };
  }

  get #count(): number {
    return this.#heads.keys * this.#heads.group;
  }

  /** Queries, keys and values as `[batch, sequence, heads, lanes]`. */
  #project(x: Value, width: number): Value[] {
    const g = this.#g;
    const { layout } = this.#form;
    const { keys, group, lanes } = this.#heads;
    const counts = [this.#count, keys, keys];
    const sizes = counts.map((count) => count * lanes);
    const { linear } = this.#around;
    if (layout === "apart")
      return sizes.map((size, at) => {
        const projected = this.#normed(linear(x, width, size), size, "over all heads");
        return this.#apart(projected, x, counts[at]!, at < 2);
      });
    const fused = linear(x, width, (this.#count + 2 * keys) * lanes);
    if (layout === "one after the other")
      return g.split(fused, sizes, 2).map((part, at) => {
        const normed = at < 2 ? this.#normed(part, sizes[at]!, "over all heads") : part;
        return this.#apart(normed, x, counts[at]!, at < 2);
      });
    if (layout === "one after the other, sliced") {
      let start = 0;
      return sizes.map((size, at) => {
        const part = g.slice(fused, g.integers([start]), g.integers([start + size]), 2);
        start += size;
        return this.#apart(part, x, counts[at]!, at < 2);
      });
    }
    if (layout === "stacked in front" && group === 1) {
      const stacked = g.transpose(g.reshape(fused, [0, 0, 3, keys, lanes]), [2, 0, 1, 3, 4]);
      return [0, 1, 2].map((at) =>
        this.#normedByHead(g.gather(stacked, g.integer(at), 0), counts[at]!, at < 2),
      );
    }
    if (layout === "by blocks of a few groups" && keys % 2 === 0) {
      // As in CodeGen: each of a few blocks has first all its queries, then its values, then its keys.
      const own = keys / 2;
      const parts = [own * group * lanes, own * lanes, own * lanes];
      const blocks = g.reshape(fused, [0, 0, 2, -1]);
      const [q, v, k] = g.split(blocks, parts, 3).map((part, at) => {
        const split = g.reshape(part, [0, 0, 2, at === 0 ? own * group : own, lanes]);
        return g.reshape(split, [0, 0, -1, lanes]);
      });
      return [q!, k!, v!].map((value, at) => this.#normedByHead(value, counts[at]!, at < 2));
    }
    const units = g.reshape(fused, [0, 0, keys, group + 2, lanes]);
    const ends = [0, group, group + 1, group + 2];
    const parts =
      layout === "by group, sliced"
        ? [0, 1, 2].map((at) => g.slice(units, g.integers([ends[at]!]), g.integers([ends[at + 1]!]), 3))
        : g.split(units, [group, 1, 1], 3);
    return parts.map((part, at) =>
      this.#normedByHead(g.reshape(part, [0, 0, counts[at]!, lanes]), counts[at]!, at < 2),
    );
  }

  /** Splits `[batch, sequence, heads·lanes]` into heads. */
  #apart(value: Value, x: Value, count: number, isNormed: boolean): Value {
    const { lanes } = this.#heads;
    return this.#normedByHead(this.#reshaped(value, x, [count, lanes]), count, isNormed);
  }

  /** Reshapes to `[batch, sequence, …last]`, with numbers for known sizes, or computed as exporters do it. */
  #reshaped(value: Value, x: Value, last: readonly number[]): Value {
    const g = this.#g;
    if (!this.#form.computed) return g.reshape(value, [0, -1, ...last]);
    const shape = g.apply("Shape", [x]);
    const size = (axis: number): Value => g.unsqueeze(g.gather(shape, g.integer(axis), 0), [0]);
    const known = last.map((one, at) => g.integers([at === last.length - 1 ? -1 : one]));
    return g.reshapeBy(value, g.concat([size(0), size(1), ...known], 0));
  }

  #normed(value: Value, size: number, here: AttentionForm["norm"]): Value {
    const g = this.#g;
    if (this.#form.norm !== here) return value;
    const square = g.apply("Pow", [value, g.numbers([2])]);
    const mean = g.apply("ReduceMean", [square, g.integers([-1])]);
    const deviation = g.sqrt(g.add(mean, g.numbers([1e-2])));
    return g.mul(g.parameter([size], 2), g.div(value, deviation));
  }

  #normedByHead(value: Value, count: number, isNormed: boolean): Value {
    const g = this.#g;
    const { lanes } = this.#heads;
    const { norm } = this.#form;
    if (!isNormed || norm === "none" || norm === "over all heads") return value;
    if (norm === "by head") return g.rmsNormalization(value, g.parameter([lanes]), 1e-2);
    const plain = g.layerNormalization(
      value,
      g.numbers(new Float32Array(lanes).fill(1), [lanes]),
      undefined,
      1e-2,
    );
    return g.mul(plain, g.parameter([count, lanes]));
  }

  /** `[batch, sequence, heads, lanes]` to `[batch, heads, sequence, lanes]`. */
  #byHead(value: Value): Value {
    return this.#g.transpose(value, [0, 2, 1, 3]);
  }

  #repeated(value: Value): Value {
    const g = this.#g;
    const { keys, group, lanes } = this.#heads;
    if (group === 1) return value;
    const { repeat } = this.#form;
    if (repeat === "gather") {
      const heads = Array.from({ length: keys * group }, (_, at) => Math.floor(at / group));
      return g.gather(value, g.integers(heads), 1);
    }
    const apart = g.unsqueeze(value, [2]);
    const copies =
      repeat === "tile"
        ? g.apply("Tile", [apart, g.integers([1, 1, group, 1, 1])])
        : repeat === "apart"
          ? g.concat(Array<Value>(group).fill(apart), 2)
          : g.expand(apart, g.integers([1, 1, group, 1, 1]));
    return g.reshape(copies, [0, keys * group, -1, lanes]);
  }

  /** Rotates by angles that grow with the position, over halves of a head's lanes or over pairs of them. */
  #turned(value: Value, x: Value): Value {
    const g = this.#g;
    const { lanes } = this.#heads;
    const { positions } = this.#form;
    if ((positions !== "halves turned" && positions !== "pairs turned") || lanes % 2 === 1) return value;
    const half = lanes / 2;
    const places = g.cast(g.range(g.squeeze(g.shape(x, 1, 2), [0])), "float32");
    const speeds = g.numbers(
      Array.from({ length: half }, (_, at) => 1 / (at + 1)),
      [1, half],
    );
    const angles = g.mul(g.unsqueeze(places, [1]), speeds);
    const [cos, sin] = [g.cos(angles), g.sin(angles)];
    if (positions === "halves turned") {
      const [both, other] = [cos, sin].map((one) => g.concat([one, one], 1)) as [Value, Value];
      const [first, second] = g.split(value, [half, half], 3) as [Value, Value];
      const turned = g.concat([g.apply("Neg", [second]), first], 3);
      return g.add(g.mul(value, both), g.mul(turned, other));
    }
    const every = (start: number): Value =>
      g.apply("Slice", [value, g.integers([start]), g.integers([lanes]), g.integers([3]), g.integers([2])]);
    const [even, odd] = [every(0), every(1)];
    const pairs = [g.sub(g.mul(even, cos), g.mul(odd, sin)), g.add(g.mul(even, sin), g.mul(odd, cos))];
    const stacked = g.concat(
      pairs.map((part) => g.unsqueeze(part, [4])),
      4,
    );
    return g.reshape(stacked, [0, 0, 0, lanes]);
  }

  /** Adds a separate bias for each head: from a weight by head, or from a table by distance and head. */
  #biased(scores: Value, x: Value): Value {
    const g = this.#g;
    const { positions } = this.#form;
    const length = g.shape(x, 1, 2);
    if (positions === "slopes") {
      const places = g.cast(g.range(g.squeeze(length, [0])), "float32");
      return g.add(scores, g.mul(g.parameter([this.#count, 1, 1]), places));
    }
    if (positions === "table by head") {
      const table = g.parameter([1, this.#count, longest, longest]);
      const rows = g.slice(table, g.integers([0]), length, 2);
      return g.add(scores, g.slice(rows, g.integers([0]), length, 3));
    }
    if (positions !== "buckets") return scores;
    const places = g.range(g.squeeze(length, [0]));
    const distances = g.sub(g.unsqueeze(places, [0]), g.unsqueeze(places, [1]));
    const near = g.min(g.abs(distances), g.integer(buckets - 1));
    const bias = g.gather(g.parameter([buckets, this.#count]), near, 0);
    return g.add(scores, g.unsqueeze(g.transpose(bias, [2, 0, 1]), [0]));
  }

  /** As in Gemma 2: scores are capped. */
  #capped(scores: Value): Value {
    const g = this.#g;
    if (this.#form.scores !== "softmax, capped") return scores;
    return g.mul(g.tanh(g.div(scores, g.numbers([0.5]))), g.numbers([0.5]));
  }

  #masked(scores: Value, x: Value): Value {
    const g = this.#g;
    const { mask } = this.#form;
    if (mask === "none") return scores;
    if (mask === "given") {
      const given = g.unsqueeze(this.#around.mask, [1, 2]);
      return g.add(scores, g.mul(g.sub(g.numbers([1]), given), g.numbers([-1e4])));
    }
    const places = g.range(g.squeeze(g.shape(x, 1, 2), [0]));
    const isSeen = g.lessOrEqual(g.unsqueeze(places, [0]), g.unsqueeze(places, [1]));
    return g.where(isSeen, scores, g.numbers([-1e4]));
  }

  #weighed(scores: Value): Value {
    const g = this.#g;
    if (this.#form.scores === "none") return scores;
    if (this.#form.scores === "softmax with a sink") {
      // As in GPT-OSS: each head has a sink, an additional score that takes a share of the softmax and has no value.
      const sink = g.parameter([1, this.#count, 1, 1]);
      const column = g.apply("Expand", [sink, g.concat([g.shape(scores, 0, 3), g.integers([1])], 0)]);
      const weights = g.softmax(g.concat([scores, column], 3));
      return g.slice(weights, g.integers([0]), g.integers([-1]), 3);
    }
    if (this.#form.scores !== "mixed by head") return g.softmax(scores);
    // Talking heads: https://arxiv.org/abs/2003.02436.
    const mix = g.parameter([this.#count, this.#count]);
    return g.apply("Einsum", [g.softmax(scores), mix], { equation: "bhqk,hi->biqk" });
  }

  #toStream(mixed: Value, x: Value, width: number): Value {
    const g = this.#g;
    const { lanes } = this.#heads;
    if (this.#form.end === "by head") {
      const weight = g.parameter([this.#count, lanes, width]);
      return g.apply("Einsum", [mixed, weight], { equation: "bhql,hlw->bqw" });
    }
    const { linear } = this.#around;
    const size = this.#count * lanes;
    const joined = this.#reshaped(this.#byHead(mixed), x, [size]);
    if (this.#form.end === "joined") return linear(joined, size, width);
    return linear(g.mul(joined, g.sigmoid(linear(x, width, size))), size, width);
  }
}
