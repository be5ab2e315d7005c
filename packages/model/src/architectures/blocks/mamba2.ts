import type { ConfigReader } from "../../checkpoint/index.js";
import type { Value } from "../../graph/index.js";
import type { ModelContext } from "../architecture.js";
import { activate } from "./activations.js";
import { causalConvolution, withoutPadding } from "./causal-convolution.js";
import type { CausalStep } from "./causal-step.js";
import type { Sublayer } from "./decoder.js";
import { linear } from "./projections.js";
import { recur } from "./recurrent-state.js";

/** More heads than this are a mistake, or meant to exhaust memory. */
const maxHeads = 2 ** 16;

export interface Mamba2Shape {
  /** Of the residual stream. */
  readonly width: number;
  /** Lanes of all heads together. */
  readonly inner: number;
  /** Each head has a state, `[stateDim, inner / heads]`. */
  readonly heads: number;
  /** Number of groups of heads; heads of one group share B and C. A divisor of `heads`. */
  readonly groups: number;
  readonly stateDim: number;
}

/** The sizes under the names and with the defaults of hybrid models. */
export function hybridMambaShape(config: ConfigReader, width: number, inner?: number): Mamba2Shape {
  return checked(config, {
    width,
    inner: inner ?? Math.trunc(config.number("mamba_expand", { min: 0, default: 2 }) * width),
    heads: config.integer("mamba_n_heads", { max: maxHeads, default: 128 }),
    groups: config.integer("mamba_n_groups", { max: maxHeads, default: 1 }),
    stateDim: config.integer("mamba_d_state", { default: 256 }),
  });
}

/** @throws RR_CONFIG unless the heads divide the inner width, and the groups the heads */
export function checked(config: ConfigReader, shape: Mamba2Shape): Mamba2Shape {
  const { inner, heads, groups } = shape;
  if (inner >= heads && inner % heads === 0 && heads % groups === 0) return shape;
  throw config.error(
    `${heads} heads in ${groups} groups, with an inner width of ${inner}: expected the number of groups to divide ` +
      "the number of heads, and that to divide the inner width",
  );
}

interface Mamba2 {
  readonly step: CausalStep;
  readonly shape: Mamba2Shape;
  /** The mixer's name within its layer. */
  readonly module: string;
  /** The convolution's kernel size: how many positions it reads, including the current one. */
  readonly taps: number;
  readonly convolutionBias: boolean;
  readonly bias: { readonly input: boolean; readonly output: boolean };
  /** Of the convolution's output, as the config names it. */
  readonly activation: string;
  /** Limits the time steps. */
  readonly limit: (time: Value) => Value;
  /** Combines the heads' output and the gate, `[batch, sequence, inner]` each. */
  readonly finish: (x: Value, gate: Value, module: string) => Value;
  /** Scales the parts of the input projection: gate, x, B, C and time steps. Default: 1 each. */
  readonly multipliers?: readonly number[] | undefined;
}

/**
 * Mamba 2 (https://arxiv.org/abs/2405.21060). Each head has a state S, a matrix. Each position decays it and adds the
 * outer product of B and x; the position's time step t sets the amount of both.
 *
 * ```
 *   gate, (x, B, C), time = in(…)      x, B, C = act(convolution(…))      t = softplus(time + bias)
 *   S ← exp(−exp(A) t) S + B ⊗ (t x)   out(finish(Cᵀ S + D x, silu(gate)))
 * ```
 */
export function mamba2(context: ModelContext, options: Mamba2): Sublayer {
  const { g, parameters } = context;
  const { step, shape, module: name, taps, convolutionBias, bias, activation, limit, finish } = options;
  const { width, inner, heads, groups, stateDim } = shape;
  const lanes = inner / heads;
  const shared = groups * stateDim;
  const parts = [inner, inner, shared, shared, heads];
  const scaled = scaleParts(context, parts, options.multipliers);

  return (input, layer) => {
    const module = `${layer.module}.${name}`;
    const projection = { inputs: width, outputs: 2 * inner + 2 * shared + heads, bias: bias.input };
    const projected = scaled(linear(context, input, { name: `${module}.in_proj`, ...projection }));
    const [gate, mixed, times] = g.split(projected, [inner, inner + 2 * shared, heads], 2);
    const convolved = causalConvolution(context, withoutPadding(g, mixed!, step), {
      name: `${module}.conv1d`,
      layer: layer.index,
      channels: inner + 2 * shared,
      taps,
      bias: convolutionBias,
    });
    const activated = activate(context, activation, convolved);
    // With a bias, the convolution's output at padding is not zero.
    const written = convolutionBias ? withoutPadding(g, activated, step) : activated;
    const [x, key, query] = g.split(written, [inner, shared, shared], 2);
    const perHead = (parameter: string): Value => parameters.get(`${module}.${parameter}`, [heads]);
    const time = limit(g.softplus(g.add(times!, perHead("dt_bias"))));
    const apart = g.reshape(x!, [0, 0, heads, lanes]);
    const read = recur(g, `${layer.index}.state`, [heads, stateDim, lanes], (past) =>
      g.linearAttention({
        query: query!,
        key: key!,
        value: g.reshape(g.mul(apart, g.unsqueeze(time, [3])), [0, 0, inner]),
        past,
        decay: g.sub(g.numbers([0]), g.mul(g.exp(perHead("A_log")), time)),
        queries: groups,
        values: heads,
        scale: 1,
      }),
    );
    const skipped = g.reshape(g.mul(apart, g.unsqueeze(perHead("D"), [1])), [0, 0, inner]);
    const finished = finish(g.add(read, skipped), activate(context, "silu", gate!), module);
    return linear(context, finished, {
      name: `${module}.out_proj`,
      inputs: inner,
      outputs: width,
      bias: bias.output,
    });
  };
}

/** Multiplies each part of `[batch, sequence, Σ sizes]` by its multiplier. */
function scaleParts(
  { g }: ModelContext,
  sizes: readonly number[],
  multipliers: readonly number[] | undefined,
): (x: Value) => Value {
  if (multipliers === undefined || multipliers.every((multiplier) => multiplier === 1)) return (x) => x;
  const each = sizes.flatMap((size, part) => Array<number>(size).fill(multipliers[part]!));
  const vector = g.numbers(each, [each.length]);
  return (x) => g.mul(x, vector);
}
