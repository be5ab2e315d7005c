import type { ShapeRule, ShapeRules } from "../node-context.js";

/**
 * X `[sequence, batch, in]`, or `[batch, sequence, in]` with layout 1. Outputs: every state, the last state and, of an
 * LSTM, the last cell (https://onnx.ai/onnx/operators/onnx__LSTM.html).
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

/** Networks that read a sequence one by one. */
export const recurrenceRules: ShapeRules = { LSTM: recurrence, GRU: recurrence, RNN: recurrence };
