import { toOnnxDataType } from "../onnx/onnx-data-types.js";
import { float, int, ints, string } from "./attributes.js";
import type { DataType } from "./graph.js";
import { NodeBuilder, type Value } from "./node-builder.js";

const microsoft = "com.microsoft";

/** `[batch, positions, heads · lanes]` each. Each head of values has a separate state. */
interface LinearAttention {
  readonly query: Value;
  readonly key: Value;
  readonly value: Value;
  /** `[batch, heads, key lanes, value lanes]`. */
  readonly past: Value;
  /**
   * The logarithm of the fraction of a state that is kept, `[batch, positions, heads]`, or per lane of a key; if
   * absent, states are kept whole.
   */
  readonly decay?: Value;
  /** The fraction of a key's value that is replaced, `[batch, positions, heads]`; if absent, values are added. */
  readonly rate?: Value;
  /** Heads of queries, and of keys. */
  readonly queries: number;
  /** Heads of values, a multiple of `queries`. */
  readonly values: number;
  /** A factor of the output. */
  readonly scale: number;
}

interface Convolution {
  /** Groups of channels, which are convolved apart. */
  readonly groups: number;
  /** The number of positions, as in the kernel. */
  readonly taps: number;
}

interface RotaryPairs {
  /** The number r of rotated lanes, if it is less than d. */
  readonly lanes: number | undefined;
  readonly interleaved: boolean;
}

/**
 * Builds a {@link Graph} with code that reads like mathematics. It has one method per operator, named as in ONNX
 * (https://onnx.ai/onnx/operators), which takes and returns {@link Value}s.
 *
 * ```ts
 * const g = new GraphBuilder();
 * const x = g.input("x", "float32", ["batch", 64]);
 * const y = g.softmax(g.matmul(x, weight));
 * g.output("y", y, "float32", ["batch", 320]);
 * const graph = g.build();
 * ```
 */
export class GraphBuilder extends NodeBuilder {
  add(a: Value, b: Value): Value {
    return this.node("Add", [a, b]);
  }

  sub(a: Value, b: Value): Value {
    return this.node("Sub", [a, b]);
  }

  mul(a: Value, b: Value): Value {
    return this.node("Mul", [a, b]);
  }

  div(a: Value, b: Value): Value {
    return this.node("Div", [a, b]);
  }

  sqrt(x: Value): Value {
    return this.node("Sqrt", [x]);
  }

  pow(base: Value, exponent: Value): Value {
    return this.node("Pow", [base, exponent]);
  }

  /** The elementwise minimum. */
  min(a: Value, b: Value): Value {
    return this.node("Min", [a, b]);
  }

  /** The elementwise maximum. */
  max(a: Value, b: Value): Value {
    return this.node("Max", [a, b]);
  }

  cos(x: Value): Value {
    return this.node("Cos", [x]);
  }

  sin(x: Value): Value {
    return this.node("Sin", [x]);
  }

  abs(x: Value): Value {
    return this.node("Abs", [x]);
  }

  exp(x: Value): Value {
    return this.node("Exp", [x]);
  }

  log(x: Value): Value {
    return this.node("Log", [x]);
  }

  /** `ln(1 + exp(x))`. */
  softplus(x: Value): Value {
    return this.node("Softplus", [x]);
  }

  sigmoid(x: Value): Value {
    return this.node("Sigmoid", [x]);
  }

  erf(x: Value): Value {
    return this.node("Erf", [x]);
  }

  tanh(x: Value): Value {
    return this.node("Tanh", [x]);
  }

  /** Clamps to the range from `min` to `max`. All three have the same element type. */
  clip(x: Value, min: Value, max: Value): Value {
    return this.node("Clip", [x, min, max]);
  }

  not(x: Value): Value {
    return this.node("Not", [x]);
  }

  equal(a: Value, b: Value): Value {
    return this.node("Equal", [a, b]);
  }

  and(a: Value, b: Value): Value {
    return this.node("And", [a, b]);
  }

  less(a: Value, b: Value): Value {
    return this.node("Less", [a, b]);
  }

  lessOrEqual(a: Value, b: Value): Value {
    return this.node("LessOrEqual", [a, b]);
  }

  greater(a: Value, b: Value): Value {
    return this.node("Greater", [a, b]);
  }

  greaterOrEqual(a: Value, b: Value): Value {
    return this.node("GreaterOrEqual", [a, b]);
  }

  where(condition: Value, yes: Value, no: Value): Value {
    return this.node("Where", [condition, yes, no]);
  }

  cast(x: Value, to: DataType): Value {
    return this.node("Cast", [x], { attributes: { to: int(toOnnxDataType(to)) } });
  }

  /** `[…, i, k] × […, k, j] → […, i, j]`. */
  matmul(a: Value, b: Value): Value {
    return this.node("MatMul", [a, b]);
  }

  /** `scale · a bᵀ`: `[…, i, k] × […, j, k] → […, i, j]`, without copying `b`. */
  matmulTransposed(a: Value, b: Value, scale = 1): Value {
    return this.node("FusedMatMul", [a, b], {
      domain: microsoft,
      attributes: { transB: int(1), alpha: float(scale) },
    });
  }

  /** The sizes of the dimensions from `start` to `end`, int64 `[end - start]`. */
  shape(x: Value, start: number, end: number): Value {
    return this.node("Shape", [x], { attributes: { start: int(start), end: int(end) } });
  }

  /** `0, 1, …, count − 1`, int64 `[count]`, for a scalar `count`. */
  range(count: Value): Value {
    return this.node("Range", [this.integer(0), count, this.integer(1)]);
  }

  /** Inclusive cumulative sums along `axis`. */
  cumSum(x: Value, axis: number): Value {
    return this.node("CumSum", [x, this.integer(axis)]);
  }

  /** Broadcasts dimensions of size 1 to the sizes in `dims`, an int64 vector. */
  expand(x: Value, dims: Value): Value {
    return this.node("Expand", [x, dims]);
  }

  /** In `dims`, 0 keeps the size of that dimension of `x`, and −1 is the remaining size. */
  reshape(x: Value, dims: readonly number[]): Value {
    return this.reshapeBy(x, this.integers(dims));
  }

  /** `dims` as in {@link reshape}, but an int64 `[rank]` with sizes that are only known at run time. */
  reshapeBy(x: Value, dims: Value): Value {
    return this.node("Reshape", [x, dims]);
  }

  transpose(x: Value, permutation: readonly number[]): Value {
    return this.node("Transpose", [x], { attributes: { perm: ints(permutation) } });
  }

  squeeze(x: Value, axes: readonly number[]): Value {
    return this.node("Squeeze", [x, this.integers(axes)]);
  }

  unsqueeze(x: Value, axes: readonly number[]): Value {
    return this.node("Unsqueeze", [x, this.integers(axes)]);
  }

  concat(values: readonly Value[], axis: number): Value {
    return this.node("Concat", values, { attributes: { axis: int(axis) } });
  }

  /** Splits into parts of these sizes. */
  split(x: Value, sizes: readonly number[], axis: number): Value[] {
    return this.splitBy(x, this.integers(sizes), sizes.length, axis);
  }

  /** Splits into `count` parts whose sizes, int64 `[count]`, are only known at run time. */
  splitBy(x: Value, sizes: Value, count: number, axis: number): Value[] {
    return this.nodes("Split", [x, sizes], count, { attributes: { axis: int(axis) } });
  }

  /**
   * The elements from `start` to `end` (exclusive), each int64 `[1]`, along `axis`; without `end`, all from `start` on.
   */
  slice(x: Value, start: Value, end: Value | undefined, axis: number): Value {
    const last = end ?? this.integers([Number.MAX_SAFE_INTEGER]);
    return this.node("Slice", [x, start, last, this.integers([axis])]);
  }

  gather(data: Value, indices: Value, axis: number): Value {
    return this.node("Gather", [data, indices], { attributes: { axis: int(axis) } });
  }

  /** The `count` largest elements along the last axis, in descending order, and their indices, int64. */
  topK(x: Value, count: number): [values: Value, indices: Value] {
    const [values, indices] = this.nodes("TopK", [x, this.integers([count])], 2);
    return [values!, indices!];
  }

  /** The elements of `data` at `indices` along `axis`, in the shape of the indices. */
  gatherElements(data: Value, indices: Value, axis: number): Value {
    return this.node("GatherElements", [data, indices], { attributes: { axis: int(axis) } });
  }

  /** The sum along `axes`, which remain with size 1. */
  reduceSum(x: Value, axes: readonly number[]): Value {
    return this.node("ReduceSum", [x, this.integers(axes)]);
  }

  /** The maximum along `axes`, which remain with size 1. */
  reduceMax(x: Value, axes: readonly number[]): Value {
    return this.node("ReduceMax", [x, this.integers(axes)]);
  }

  /** The sum of squares along `axes`, which remain with size 1. */
  reduceSumSquare(x: Value, axes: readonly number[]): Value {
    return this.node("ReduceSumSquare", [x, this.integers(axes)]);
  }

  /** Over the last axis. */
  softmax(x: Value): Value {
    return this.node("Softmax", [x], { attributes: { axis: int(-1) } });
  }

  /** `x / √(mean(x²) + ε) · scale`, over the last axis (https://arxiv.org/abs/1910.07467). */
  rmsNormalization(x: Value, scale: Value, epsilon: number): Value {
    return this.node("RMSNormalization", [x, scale], {
      attributes: { axis: int(-1), epsilon: float(epsilon) },
    });
  }

  /** Over the last axis (https://arxiv.org/abs/1607.06450). */
  layerNormalization(x: Value, scale: Value, bias: Value | undefined, epsilon: number): Value {
    return this.node("LayerNormalization", bias === undefined ? [x, scale] : [x, scale, bias], {
      attributes: { axis: int(-1), epsilon: float(epsilon) },
    });
  }

  /**
   * Rotates pairs of the first r lanes of the last axis: (i, i + r/2), or (2i, 2i + 1) if interleaved. The other lanes
   * are unchanged (https://arxiv.org/abs/2104.09864).
   *
   * @param x `[batch, heads, sequence, d]`
   * @param cos `[batch, sequence, r/2]`, as is `sin`
   */
  rotaryEmbedding(x: Value, cos: Value, sin: Value, { lanes, interleaved }: RotaryPairs): Value {
    return this.node("RotaryEmbedding", [x, cos, sin], {
      attributes: {
        ...(interleaved ? { interleaved: int(1) } : {}),
        ...(lanes === undefined ? {} : { rotary_embedding_dim: int(lanes) }),
      },
    });
  }

  /**
   * Convolves over an odd number of positions, half of the others on either side; beyond the ends are zeros.
   *
   * @param x `[batch, channels, positions]`
   * @param kernel `[outputs, channels / groups, taps]`
   * @param bias `[outputs]`
   * @returns `[batch, outputs, positions]`
   */
  convolution(x: Value, kernel: Value, bias: Value, { groups, taps }: Convolution): Value {
    const beside = (taps - 1) / 2;
    const attributes = { group: int(groups), pads: ints([beside, beside]) };
    return this.node("Conv", [x, kernel, bias], { attributes });
  }

  /**
   * Convolves each channel over its last few positions: `Σ kernel[i] · x[position − taps + 1 + i] + bias`.
   *
   * @param x `[batch, positions, channels]`
   * @param kernel `[channels, 1, taps]`
   * @param past the `taps − 1` positions before, `[batch, taps − 1, channels]`
   * @returns the output for `x`, and the last `taps − 1` positions
   */
  causalConvolution(
    x: Value,
    kernel: Value,
    bias: Value | undefined,
    past: Value,
  ): [y: Value, present: Value] {
    const attributes = { channels_last: int(1) };
    const inputs = [x, kernel, bias, past];
    const [y, present] = this.nodes("CausalConvWithState", inputs, 2, { domain: microsoft, attributes });
    return [y!, present!];
  }

  /**
   * Linear attention: each head has a state S, which positions update and read in order:
   *
   * ```
   *   S ← exp(decay) · S      S ← S + key ⊗ (rate · (value − keyᵀ S))      scale · queryᵀ S
   * ```
   *
   * Without `rate`, `key ⊗ value` is added (https://arxiv.org/abs/2412.06464, https://arxiv.org/abs/2405.21060).
   *
   * @returns the output, `[batch, positions, heads · value lanes]`, and the last state
   */
  linearAttention(options: LinearAttention): [y: Value, present: Value] {
    const { query, key, value, past, decay, rate, queries, values, scale } = options;
    const rule = `${decay ? "gated" : ""}${decay && rate ? "_" : ""}${rate ? "delta" : ""}` || "linear";
    const [y, present] = this.nodes("LinearAttention", [query, key, value, past, decay, rate], 2, {
      domain: microsoft,
      attributes: {
        q_num_heads: int(queries),
        kv_num_heads: int(values),
        update_rule: string(rule),
        scale: float(scale),
      },
    });
    return [y!, present!];
  }

  /** `x · Φ(x)`, exact or with the tanh approximation (https://arxiv.org/abs/1606.08415). */
  gelu(x: Value, approximate: "none" | "tanh"): Value {
    return this.node("Gelu", [x], { attributes: { approximate: string(approximate) } });
  }

  /** `x · σ(αx)`; SiLU if α is 1. */
  quickGelu(x: Value, alpha: number): Value {
    return this.node("QuickGelu", [x], { domain: microsoft, attributes: { alpha: float(alpha) } });
  }

  relu(x: Value): Value {
    return this.node("Relu", [x]);
  }
}
