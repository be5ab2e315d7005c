import { type Attribute, int, intAttribute } from "@ringrank/model";
import { type Dim, freshDim, sizeOf } from "../../factors/factor.js";
import { quotient, type SizePair } from "../../shapes/size-pair.js";
import { axesOfOutput, relateAxes } from "../axes.js";
import { onShare } from "../on-share.js";
import type { Localization, Operator, Rule, Rules } from "../rule.js";
import { wholeDim, wholeEverything } from "../whole.js";

/**
 * Operators that process a sequence position by position, and have a state as an input and an output. Positions stay
 * whole; whatever has a separate state, a head or a channel, may be sharded together with it.
 */

const inTurn = "read one position after the other";

/**
 * Heads of `[batch, positions, heads·lanes]`. Queries, keys and values have two different numbers of heads at most: the
 * larger number is a multiple of the smaller one.
 */
interface Heads {
  readonly few: Dim;
  readonly group: Dim;
  readonly queries: Dim;
  readonly keys: Dim;
  /** Heads with a state of their own. */
  readonly states: Dim;
}

/** Undefined if queries, keys and states have three different numbers of heads. */
function headsOf({ node, inputs }: Operator): Heads | undefined {
  const [queries, states] = [intAttribute(node, "q_num_heads", 1), intAttribute(node, "kv_num_heads", 1)];
  const keys = inputs[1]!.dims[2]![0] / (inputs[0]!.dims[2]![0] / queries);
  const [least, most] = [Math.min(queries, keys, states), Math.max(queries, keys, states)];
  if (most % least !== 0 || [queries, keys, states].some((count) => count !== least && count !== most))
    return undefined;
  const [few, group] = [least, most / least].map((count) => freshDim([count, count])) as [Dim, Dim];
  const of = (count: number): Dim => (count === least ? few : [...few, ...group]);
  return { few, group, queries: of(queries), keys: of(keys), states: of(states) };
}

/**
 * com.microsoft.LinearAttention
 * (https://github.com/microsoft/onnxruntime/blob/main/docs/ContribOperators.md#com.microsoft.LinearAttention): each
 * head's state is a matrix `[key lanes, value lanes]`, to which each position adds an outer product of its key and
 * value, and which its query reads. The columns of the matrix are independent, so value lanes may be sharded too; a
 * query sums over key lanes.
 */
const linearAttention: Rule = {
  propagate(operator, factors) {
    const { inputs } = operator;
    const heads = headsOf(operator);
    if (heads === undefined)
      return wholeEverything(operator, factors, "heads of queries, keys and states in three numbers");
    const { few, group, queries, keys, states } = heads;
    const perHead = (slot: number, count: Dim): SizePair =>
      quotient(inputs[slot]!.dims[2]!, sizeOf(count)) ?? [1, 1];
    const keyLane = wholeDim(perHead(0, queries), factors, "queries sum over the lanes of a head's keys");
    const lane = freshDim(perHead(2, states));
    factors.cut([few, group, lane]);
    const relate = (slot: number, known: Readonly<Record<number, Dim>>): void =>
      relateAxes(slot, known, inTurn, operator, factors);
    relate(0, { 2: [...queries, ...keyLane] });
    relate(1, { 2: [...keys, ...keyLane] });
    relate(2, { 2: [...states, ...lane] });
    const state = { 1: states, 2: keyLane, 3: lane };
    relate(3, state);
    const decays = inputs[4]?.dims[2]?.[0] === sizeOf(states)[0] ? states : [...states, ...keyLane];
    relate(4, { 2: decays });
    relate(5, { 2: states });
    return [
      axesOfOutput(0, { 2: [...longer(queries, states), ...lane] }, inTurn, operator, factors),
      axesOfOutput(1, state, inTurn, operator, factors),
    ];
  },
  localize(operator, local) {
    const [few, group] = local.cut();
    // Nothing was cut, so all heads are whole, and the node's head counts are right.
    if (few === undefined) return [onShare(operator, local)];
    return [onShare(operator, local, localCounts(operator, local, few, group!))];
  },
};

function longer(a: Dim, b: Dim): Dim {
  return sizeOf(a)[0] > sizeOf(b)[0] ? a : b;
}

function localCounts(
  { node }: Operator,
  local: Localization,
  few: Dim,
  group: Dim,
): Readonly<Record<string, Attribute>> {
  const count = (name: string): Attribute => {
    const isFew = intAttribute(node, name, 1) === sizeOf(few)[0];
    return int(local.size(few)[0] * (isFew ? 1 : local.size(group)[0]));
  };
  return { q_num_heads: count("q_num_heads"), kv_num_heads: count("kv_num_heads") };
}

/**
 * com.microsoft.CausalConvWithState
 * (https://github.com/microsoft/onnxruntime/blob/main/docs/ContribOperators.md#com.microsoft.CausalConvWithState): a
 * depthwise convolution over the last few positions. `[batch, channels, positions]`, or with `channels_last`
 * `[batch, positions, …]`, whose last axes are the channels.
 */
const causalConvolution: Rule = {
  propagate(operator, factors) {
    const input = factors.input(0);
    const along = intAttribute(operator.node, "channels_last", 0) !== 0 ? 1 : 2;
    factors.whole(input[along]!, inTurn);
    const others = input.flatMap((dim, axis): [number, Dim][] => (axis === along ? [] : [[axis, dim]]));
    const channels = others.slice(1).flatMap(([, dim]) => dim);
    relateAxes(1, { 0: channels }, inTurn, operator, factors);
    relateAxes(2, { 0: channels }, inTurn, operator, factors);
    // The state has the input's shape, but as many positions as the window looks back.
    const state = Object.fromEntries(others);
    relateAxes(3, state, inTurn, operator, factors);
    return [input, axesOfOutput(1, state, inTurn, operator, factors)];
  },
};

export const recurrenceRules: Rules = {
  "com.microsoft::LinearAttention": linearAttention,
  "com.microsoft::CausalConvWithState": causalConvolution,
};
