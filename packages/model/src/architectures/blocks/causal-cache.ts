import type { CacheState, DataType, GraphBuilder, Value } from "../../graph/index.js";
import { additiveMask } from "./additive-mask.js";
import type { CausalStep } from "./causal-step.js";

/** What a cache needs to know about a step. */
type Step = Pick<CausalStep, "attentionMask" | "positionIds">;

/** A state's type and sizes, except for the batch, its first axis, and rows. */
export interface StateLayout {
  readonly type: DataType;
  /** `[batch, …before, rows, …after]`. */
  readonly before: readonly number[];
  readonly after: readonly number[];
}

interface CacheOptions {
  /** How many positions a query sees, including its own. Default: all. */
  readonly window?: number | undefined;
  /** Whether windows are adjacent chunks, and a query only sees back to the start of its own. Default false. */
  readonly chunked?: boolean;
  /** As in the graph's cache. Default false. */
  readonly exact?: boolean;
}

/** Rows of earlier steps, `[batch, heads, past, headDim]`, and of this one, `[batch, heads, sequence, headDim]`. */
export interface CachedRows {
  readonly past: Value;
  readonly present: Value;
}

/** The caches of a model. Layers with equal windows share one, including its positions and mask. */
export class CausalCaches {
  readonly #g: GraphBuilder;
  readonly #step: Step;
  readonly #options: Omit<CacheOptions, "window">;
  readonly #byWindow = new Map<number | undefined, CausalCache>();

  constructor(g: GraphBuilder, step: Step, options: Omit<CacheOptions, "window"> = {}) {
    this.#g = g;
    this.#step = step;
    this.#options = options;
  }

  /** @param window how many positions a query sees, itself included; undefined for all */
  get(window?: number): CausalCache {
    let cache = this.#byWindow.get(window);
    if (cache === undefined) {
      cache = new CausalCache(this.#g, this.#step, { ...this.#options, window });
      this.#byWindow.set(window, cache);
    }
    return cache;
  }
}

/**
 * Keys and values of earlier steps, and what a query may see of them and of the new rows. Keys are in the order
 * `[past | new]`; an unused past row has the position −1.
 */
export class CausalCache {
  /** int64 `[batch, past + sequence]`. */
  readonly keyPositions: Value;
  /** bool `[batch, past]`: which rows are used. */
  readonly filled: Value;
  /** float32 `[batch, 1, sequence, past + sequence]`: 0 where the query sees the key, else the lowest number. */
  readonly mask: Value;
  /** int64 `[2]`: the sizes of `past` and `sequence`. */
  readonly lengths: Value;
  readonly #g: GraphBuilder;
  readonly #step: Step;
  /** Name of the dimension that grows. */
  readonly #rows: string;
  readonly #states: CacheState[] = [];

  constructor(g: GraphBuilder, step: Step, options: CacheOptions = {}) {
    const { window, exact = false } = options;
    this.#g = g;
    this.#step = step;
    const suffix = window === undefined ? "" : `_window_${window}`;
    this.#rows = `past${suffix}`;
    const positions = g.input(`past_positions${suffix}`, "int64", ["batch", this.#rows]);
    g.cache({
      positions: positions.name,
      ...(window === undefined ? {} : { window }),
      ...(exact ? { exact } : {}),
      states: this.#states,
    });
    this.keyPositions = g.concat([positions, step.positionIds], 1);
    this.lengths = g.concat([g.shape(positions, 1, 2), g.shape(step.positionIds, 1, 2)], 0);
    this.filled = g.greaterOrEqual(positions, g.integer(0));
    const valid = g.concat([this.filled, g.cast(step.attentionMask, "bool")], 1);
    this.mask = this.#maskOf(valid, options);
  }

  /**
   * Stores `present`, float32 `[batch, heads, sequence, headDim]`, as rows of the state `name`, and returns it together
   * with those of earlier steps.
   */
  append(name: string, present: Value, heads: number, headDim: number): CachedRows {
    const past = this.keep(name, present, { type: "float32", before: [heads], after: [headDim] });
    return { past, present };
  }

  /** As {@link append}, of rows that lie as `layout` says; gives those of earlier steps alone. */
  keep(name: string, present: Value, { type, before, after }: StateLayout): Value {
    const state: CacheState = { past: `past.${name}`, present: `present.${name}`, axis: 1 + before.length };
    this.#states.push(state);
    this.#g.output(state.present, present, type, ["batch", ...before, "sequence", ...after]);
    return this.#g.input(state.past, type, ["batch", ...before, this.#rows, ...after]);
  }

  /** One number for each head, `[heads]`, for every new row: `[batch, heads, sequence, 1]`. */
  perQuery(perHead: Value, heads: number): Value {
    const g = this.#g;
    const positions = g.unsqueeze(this.#step.positionIds, [1, 3]);
    return g.expand(g.reshape(perHead, [1, heads, 1, 1]), g.shape(positions, 0, 4));
  }

  #maskOf(valid: Value, { window, chunked = false }: CacheOptions): Value {
    const g = this.#g;
    const query = g.unsqueeze(this.#step.positionIds, [1, 3]);
    const key = g.unsqueeze(this.keyPositions, [1, 2]);
    let seen = g.and(g.unsqueeze(valid, [1, 2]), g.lessOrEqual(key, query));
    if (window !== undefined) {
      const size = g.integer(window);
      const isNear = chunked
        ? g.equal(g.div(query, size), g.div(key, size))
        : g.less(g.sub(query, key), size);
      seen = g.and(seen, isNear);
    }
    return additiveMask(g, seen);
  }
}
