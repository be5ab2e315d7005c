import type { Value } from "@ringrank/model";
import { type AttentionForm, RandomAttention } from "./random-attention.js";
import type { GraphWithContents } from "./split-and-whole.js";
import { TestGraph } from "./test-graph.js";

/** The choices that determine a graph; fast-check shrinks them. */
export interface LayersRecipe {
  readonly seed: number;
  readonly keys: number;
  readonly group: number;
  readonly lanes: number;
  readonly inner: number;
  readonly vocabulary: number;
  readonly layers: readonly Layer[];
  readonly head: "tied" | "tied by Gemm" | "its own" | "none";
  /** Whether layers of one kind read the same weights. */
  readonly shared: boolean;
  /** Whether keys are outputs, in addition to the logits. */
  readonly givesKeys: boolean;
}

export interface Layer {
  readonly kind: (typeof layerKinds)[number];
  readonly attention: AttentionForm;
  /** How gate and up are stored in one weight. */
  readonly gate: "split" | "sliced" | "every second" | "reshaped";
  readonly activation: "relu" | "silu" | "gelu";
  readonly norm: "before" | "after" | "both" | "none";
  readonly bias: boolean;
  /** Whether the product transposes its matrix first, as linear layers are exported. */
  readonly turned: boolean;
  /** The width of the stream after a layer that changes it, and the position of cuts. */
  readonly size: number;
}

export const layerKinds = [
  "attention",
  "attention beside a convolution",
  "feed-forward",
  "gated",
  "convolution",
  "experts",
  "other width",
  "earlier stream",
  "pooled",
] as const;

interface Stream {
  readonly value: Value;
  readonly width: number;
}

/** `ids [batch, sequence], mask [batch, sequence] → logits`, through layers that differ from each other. */
export function randomLayers(recipe: LayersRecipe): GraphWithContents {
  return new Grower(recipe).grow();
}

class Grower {
  readonly #g: SharingGraph;
  readonly #recipe: LayersRecipe;
  readonly #keys: Value[] = [];
  #layer: Layer;
  #mask!: Value;

  constructor(recipe: LayersRecipe) {
    this.#recipe = recipe;
    this.#layer = recipe.layers[0]!;
    this.#g = new SharingGraph(recipe.seed);
  }

  grow(): GraphWithContents {
    const g = this.#g;
    const { vocabulary, layers, shared, head } = this.#recipe;
    const ids = g.input("ids", "int64", ["batch", "sequence"]);
    this.#mask = g.cast(g.input("mask", "int64", ["batch", "sequence"]), "float32");
    const table = g.parameter([vocabulary, 12]);
    const streams: Stream[] = [{ value: g.gather(table, ids, 0), width: 12 }];
    for (const layer of layers) {
      this.#layer = layer;
      if (shared) g.share(layer.kind);
      streams.push(this.#next(streams));
    }
    g.own();
    const { value, width } = streams.at(-1)!;
    const last = this.#norm(value, width);
    g.output("logits", this.#logits(last, width, table, head), "float32", []);
    if (this.#recipe.givesKeys)
      for (const [at, keys] of this.#keys.entries()) g.output(`keys${at}`, keys, "float32", []);
    return { graph: g.build(), contents: g.contents };
  }

  #logits(x: Value, width: number, table: Value, head: LayersRecipe["head"]): Value {
    const g = this.#g;
    const { vocabulary } = this.#recipe;
    if (head === "none") return x;
    if (head === "its own") return g.matmul(x, g.parameter([width, vocabulary]));
    const narrow = width === 12 ? x : g.matmul(x, g.parameter([width, 12]));
    if (head === "tied") return g.matmul(narrow, g.transpose(table, [1, 0]));
    const rows = g.apply("Gemm", [g.reshape(narrow, [-1, 12]), table, g.parameter([vocabulary])], {
      transB: 1,
    });
    return g.reshapeBy(rows, g.concat([g.shape(narrow, 0, 2), g.integers([vocabulary])], 0));
  }

  #next(streams: readonly Stream[]): Stream {
    const g = this.#g;
    const { value: x, width } = streams.at(-1)!;
    const { kind, norm, size } = this.#layer;
    if (kind === "other width")
      return { value: this.#linear(this.#norm(x, width), width, 2 * size), width: 2 * size };
    if (kind === "earlier stream") {
      const earlier = streams[size % streams.length]!;
      const joined = g.concat([x, earlier.value], 2);
      return { value: this.#linear(joined, width + earlier.width, width), width };
    }
    const read = norm === "before" || norm === "both" ? this.#norm(x, width) : x;
    const made = this.#sublayer(read, width);
    const added = norm === "both" ? g.add(x, this.#norm(made, width)) : g.add(x, made);
    return { value: norm === "after" ? this.#norm(added, width) : added, width };
  }

  #sublayer(x: Value, width: number): Value {
    const g = this.#g;
    const { inner } = this.#recipe;
    switch (this.#layer.kind) {
      case "attention":
        return this.#attention(x, width);
      case "attention beside a convolution":
        return g.add(this.#attention(x, width), this.#convolution(x, width));
      case "convolution":
        return this.#convolution(x, width);
      case "gated":
        return this.#linear(this.#gated(x, width), inner, width);
      case "experts":
        return this.#experts(x, width);
      case "pooled":
        return this.#pooled(x, width);
      default:
        return this.#linear(this.#activated(this.#linear(x, width, inner)), inner, width);
    }
  }

  #attention(x: Value, width: number): Value {
    const { keys, group, lanes } = this.#recipe;
    const attention = new RandomAttention(this.#layer.attention, {
      g: this.#g,
      heads: { keys, group, lanes },
      mask: this.#mask,
      linear: (value, inputs, outputs) => this.#linear(value, inputs, outputs),
    });
    const built = attention.build(x, width);
    this.#keys.push(built.keys);
    return built.y;
  }

  #gated(x: Value, width: number): Value {
    const g = this.#g;
    const { inner } = this.#recipe;
    const fused = this.#linear(x, width, 2 * inner);
    const every = (start: number): Value =>
      g.apply("Slice", [
        fused,
        g.integers([start]),
        g.integers([2 * inner]),
        g.integers([2]),
        g.integers([2]),
      ]);
    const parts = {
      split: () => g.split(fused, [inner, inner], 2),
      sliced: () => [
        g.slice(fused, g.integers([0]), g.integers([inner]), 2),
        g.slice(fused, g.integers([inner]), undefined, 2),
      ],
      "every second": () => [every(0), every(1)],
      reshaped: () => {
        const pairs = g.reshape(fused, [0, 0, 2, inner]);
        return [0, 1].map((at) => g.gather(pairs, g.integer(at), 2));
      },
    }[this.#layer.gate]();
    return g.mul(this.#activated(parts[0]!), parts[1]!);
  }

  /** As in Conformer: pointwise and gated, depthwise along the sequence, pointwise back. */
  #convolution(x: Value, width: number): Value {
    const g = this.#g;
    const { inner } = this.#recipe;
    const turned = g.transpose(x, [0, 2, 1]);
    const wide = g.apply("Conv", [turned, g.parameter([2 * inner, width, 1]), g.parameter([2 * inner])]);
    const [gate, up] = g.split(wide, [inner, inner], 1);
    const mixed = g.apply("Conv", [g.mul(g.sigmoid(gate!), up!), g.parameter([inner, 1, 3])], {
      group: inner,
      pads: [1, 1],
    });
    const statistics = [
      g.parameter([inner]),
      g.parameter([inner]),
      g.parameter([inner]),
      g.scales([inner], 1),
    ];
    const normed = g.apply("BatchNormalization", [mixed, ...statistics]);
    return g.transpose(g.apply("Conv", [this.#activated(normed), g.parameter([width, inner, 1])]), [0, 2, 1]);
  }

  /** All three experts for all rows, weighted; those below the mean have weight zero. */
  #experts(x: Value, width: number): Value {
    const g = this.#g;
    const { inner } = this.#recipe;
    const experts = 3;
    const rows = g.reshape(x, [-1, width]);
    const chances = g.softmax(g.matmul(rows, g.parameter([width, experts])));
    const least = g.numbers([1 / experts]);
    const weights = g.where(g.greaterOrEqual(chances, least), chances, g.numbers([0]));
    const stacked = g.unsqueeze(rows, [0]);
    const up = g.add(
      g.matmul(stacked, g.parameter([experts, width, inner])),
      g.parameter([experts, 1, inner]),
    );
    const down = g.matmul(this.#activated(up), g.parameter([experts, inner, width]));
    const weighed = g.mul(down, g.unsqueeze(g.transpose(weights, [1, 0]), [2]));
    const sum = g.apply("ReduceSum", [weighed, g.integers([0])], { keepdims: 0 });
    return g.reshapeBy(sum, g.apply("Shape", [x]));
  }

  /** Squeeze-and-excitation over all tokens: https://arxiv.org/abs/1709.01507. */
  #pooled(x: Value, width: number): Value {
    const g = this.#g;
    const { inner } = this.#recipe;
    const mean = g.apply("ReduceMean", [x, g.integers([1])]);
    const squeezed = this.#activated(this.#linear(mean, width, inner));
    return g.mul(x, g.sigmoid(this.#linear(squeezed, inner, width)));
  }

  #activated(x: Value): Value {
    const g = this.#g;
    const { activation } = this.#layer;
    if (activation === "relu") return g.relu(x);
    if (activation === "silu") return g.mul(x, g.sigmoid(x));
    const erf = g.apply("Erf", [g.div(x, g.numbers([Math.SQRT2]))]);
    return g.mul(g.mul(x, g.add(erf, g.numbers([1]))), g.numbers([0.5]));
  }

  #norm(x: Value, width: number): Value {
    const g = this.#g;
    return g.layerNormalization(x, g.parameter([width]), g.parameter([width]), 1e-2);
  }

  #linear(x: Value, inputs: number, outputs: number): Value {
    const g = this.#g;
    const { turned, bias } = this.#layer;
    const product = turned
      ? g.matmul(x, g.transpose(g.parameter([outputs, inputs]), [1, 0]))
      : g.matmul(x, g.parameter([inputs, outputs]));
    return bias ? g.add(g.parameter([outputs]), product) : product;
  }
}

/** Returns an existing parameter if layers of one kind request one with the same sizes in the same place. */
class SharingGraph extends TestGraph {
  readonly #known = new Map<string, Value>();
  #kind: string | undefined;
  #asked = 0;

  share(kind: string): void {
    this.#kind = kind;
    this.#asked = 0;
  }

  own(): void {
    this.#kind = undefined;
  }

  override parameter(dims: readonly number[], scale = 1): Value {
    if (this.#kind === undefined) return super.parameter(dims, scale);
    const key = `${this.#kind} ${this.#asked++} ${dims.join("×")}`;
    const known = this.#known.get(key) ?? super.parameter(dims, scale);
    this.#known.set(key, known);
    return known;
  }
}
