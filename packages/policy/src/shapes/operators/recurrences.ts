import type { ShapeRule, ShapeRules } from "../node-context.js";

/**
 * X `[sequence, batch, in]`, or `[batch, sequence, in]` with layout 1. Outputs: all states, the last state and, for an
 * LSTM, the last cell state (https://onnx.ai/onnx/operators/onnx__LSTM.html).
 */
const recurrence: ShapeRule = (node) => {
  const { type, dims } = node.input(0);
  const hidden = node.requiredInt("hidden_size");
  const directions = node.string("direction", "forward") === "bidirectional" ? 2 : 1;
  const byBatch = node.int("layout", 0) === 1;
  const [first, second] = dims;
  if (first === undefined || second === undefined) return node.fail("a sequence of 3 axes");
  const batch = byBatch ? first : second;
  const all = byBatch ? [first, second, directions, hidden] : [first, directions, second, hidden];
  const last = { type, dims: byBatch ? [batch, directions, hidden] : [directions, batch, hidden] };
  return [{ type, dims: all }, last, last];
};

/**
 * com.microsoft.LinearAttention: query `[batch, positions, heads·key size]`, likewise key and value, and the state
 * `[batch, heads, key size, value size]`. Outputs: a value per query head or per state, whichever are more, and the new
 * state.
 */
const linearAttention: ShapeRule = (node) => {
  const { type, dims } = node.input(0);
  const [batch, positions, width] = dims;
  const values = node.dims(2)[2];
  if (batch === undefined || positions === undefined || width === undefined || values === undefined)
    return node.fail("queries, keys and values of 3 axes");
  if (node.int("state_window", 0) !== 0) node.fail("a single state, the last one");
  const [queries, states] = [node.requiredInt("q_num_heads"), node.requiredInt("kv_num_heads")];
  const [keySize, valueSize] = [width / queries, values / states];
  if (!Number.isInteger(keySize) || !Number.isInteger(valueSize))
    return node.fail(`queries of ${queries} heads and values of ${states}`);
  return [
    { type, dims: [batch, positions, Math.max(queries, states) * valueSize] },
    { type: node.optional(3)?.type ?? type, dims: [batch, states, keySize, valueSize] },
  ];
};

/**
 * com.microsoft.CausalConvWithState: `[batch, channels, positions]`, or `[batch, positions, …]` with channels last, and
 * a kernel `[channels, 1, window]`. Outputs: the input's shape, and the state, as many positions as the window looks
 * back.
 */
const causalConvolution: ShapeRule = (node) => {
  const { type, dims } = node.input(0);
  const window = node.dims(1)[2];
  if (dims.length < 3 || window === undefined) return node.fail("an input and a kernel of 3 axes");
  if (node.int("state_window", 0) !== 0) node.fail("a single state, the last one");
  const along = node.int("channels_last", 0) === 0 ? 2 : 1;
  const reach = (window - 1) * node.int("dilation", 1);
  const state = dims.map((size, axis) => (axis === along ? reach : size));
  return [
    { type, dims },
    { type, dims: state },
  ];
};

/** Operators that process a sequence position by position. */
export const recurrenceRules: ShapeRules = {
  LSTM: recurrence,
  GRU: recurrence,
  RNN: recurrence,
  "com.microsoft::LinearAttention": linearAttention,
  "com.microsoft::CausalConvWithState": causalConvolution,
};
