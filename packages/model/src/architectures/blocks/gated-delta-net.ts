import type { ConfigReader } from "../../checkpoint/index.js";
import type { Value } from "../../graph/index.js";
import type { ModelContext } from "../architecture.js";
import { activate } from "./activations.js";
import { causalConvolution, withoutPadding } from "./causal-convolution.js";
import type { CausalStep } from "./causal-step.js";
import type { Sublayer } from "./decoder.js";
import { rmsNorms } from "./norms.js";
import { linear } from "./projections.js";
import { recur } from "./recurrent-state.js";

/** More heads or lanes than this are a mistake, or meant to exhaust memory. */
const maxHeads = 2 ** 16;
const maxLanes = 2 ** 16;

/** The sizes of a gated DeltaNet. */
export interface DeltaShape {
  readonly width: number;
  /** Number of query heads, and of key heads; a divisor of `values`. */
  readonly keys: number;
  /** Number of value heads, each with a state. */
  readonly values: number;
  readonly keyDim: number;
  readonly valueDim: number;
}

export function deltaShape(config: ConfigReader, width: number): DeltaShape {
  const shape = {
    width,
    keys: config.integer("linear_num_key_heads", { max: maxHeads, default: 16 }),
    values: config.integer("linear_num_value_heads", { max: maxHeads, default: 32 }),
    keyDim: config.integer("linear_key_head_dim", { max: maxLanes, default: 128 }),
    valueDim: config.integer("linear_value_head_dim", { max: maxLanes, default: 128 }),
  };
  if (shape.values % shape.keys === 0) return shape;
  throw config.error(
    `expected "linear_num_value_heads" to be a multiple of "linear_num_key_heads", got ${shape.values} and ` +
      `${shape.keys}`,
  );
}

/** A layer's projections, `[batch, sequence, …]`. */
export interface DeltaInputs {
  /** `(queries | keys | values)`, each a sequence of heads. */
  readonly mixed: Value;
  /** Has the lanes of all value heads. */
  readonly gate: Value;
  /** The write strength β of each state, before its sigmoid. */
  readonly rate: Value;
  /** The decay input of each state, before `dt_bias` and softplus. */
  readonly decay: Value;
}

interface GatedDeltaNet {
  readonly step: CausalStep;
  readonly shape: DeltaShape;
  readonly project: (x: Value, module: string) => DeltaInputs;
}

/**
 * Gated DeltaNet (https://arxiv.org/abs/2412.06464). Each value head has a state, a matrix that maps keys to values.
 * Each position decays the state by a gate, then moves its value for the position's key towards the new value, by the
 * delta rule. Keys have unit length, as this rule requires. Queries, keys and values go through a short convolution
 * first.
 */
export function gatedDeltaNet(context: ModelContext, { step, shape, project }: GatedDeltaNet): Sublayer {
  const { g, config, parameters } = context;
  const { width, keys, values, keyDim, valueDim } = shape;
  const taps = config.integer("linear_conv_kernel_dim", { min: 2, default: 4 });
  const activation = config.string("hidden_act", { default: "silu" });
  const norm = rmsNorms(context, valueDim);
  const sizes = [keys * keyDim, keys * keyDim, values * valueDim];
  /** Scales each head to unit length, x / √(Σ x² + 10⁻⁶), expressed as an RMSNorm. */
  const unitHeads = (x: Value): Value => {
    const unit = g.numbers(new Float32Array(keyDim).fill(keyDim ** -0.5), [keyDim]);
    const apart = g.reshape(x, [0, 0, keys, keyDim]);
    return g.reshape(g.rmsNormalization(apart, unit, 1e-6 / keyDim), [0, 0, keys * keyDim]);
  };

  return (x, layer) => {
    const module = `${layer.module}.linear_attn`;
    const { mixed, gate, rate, decay } = project(x, module);
    const convolved = causalConvolution(context, withoutPadding(g, mixed, step), {
      name: `${module}.conv1d`,
      layer: layer.index,
      channels: 2 * keys * keyDim + values * valueDim,
      taps,
      bias: false,
    });
    const [query, key, value] = g.split(activate(context, activation, convolved), sizes, 2);
    const speed = g.exp(parameters.get(`${module}.A_log`, [values]));
    const time = g.softplus(g.add(decay, parameters.get(`${module}.dt_bias`, [values])));
    const read = recur(g, `${layer.index}.state`, [values, keyDim, valueDim], (past) =>
      g.linearAttention({
        query: unitHeads(query!),
        key: unitHeads(key!),
        value: value!,
        past,
        decay: g.sub(g.numbers([0]), g.mul(speed, time)),
        rate: g.sigmoid(rate),
        queries: keys,
        values,
        scale: keyDim ** -0.5,
      }),
    );
    const apart = norm(g.reshape(read, [0, 0, values, valueDim]), `${module}.norm`);
    const normed = g.reshape(apart, [0, 0, values * valueDim]);
    return linear(context, g.mul(normed, activate(context, "silu", gate)), {
      name: `${module}.out_proj`,
      inputs: values * valueDim,
      outputs: width,
      bias: false,
    });
  };
}
