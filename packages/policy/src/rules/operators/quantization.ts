import { type GraphNode, int, intAttribute, toOnnxDataType } from "@ringrank/model";
import { type Dim, sizeOf } from "../../factors/factor.js";
import { axisOf } from "../../graph/axis.js";
import { float32Scalar, int64Tensor } from "../../graph/constants.js";
import { makeNode } from "../../graph/make-node.js";
import { isOne, quotient } from "../../shapes/size-pair.js";
import { maskedRows } from "../masked-rows.js";
import type { Localization, Operator, Propagation, Rule, Rules } from "../rule.js";
import { wholeDim, wholeEverything } from "../whole.js";

/**
 * Between real numbers and integers: elementwise, with a scale and a zero point for the whole tensor, for each index of
 * an axis, or for each block of an axis (opset 21). A block has one scale, so it stays whole, and weights are sharded
 * together with their scales.
 */
const scaled: Rule = {
  propagate(operator, factors) {
    const input = factors.input(0);
    for (const slot of [1, 2]) {
      if (operator.inputs[slot] === undefined) continue;
      if (!relateScale(slot, operator, factors))
        return wholeEverything(operator, factors, "blocks that do not fill the axis");
    }
    return [input];
  },
};

/** Returns false if the last block of an axis is partial. */
function relateScale(slot: number, { node, inputs }: Operator, factors: Propagation): boolean {
  const input = factors.input(0);
  const scale = factors.input(slot);
  if (inputs[slot]!.dims.every(isOne)) return true;
  const axis = axisOf(node, 1, input.length);
  if (scale.length === 1) {
    factors.unify(input[axis]!, scale[0]!);
    return true;
  }
  return input.every((dim, index) => {
    if (index !== axis) factors.unify(dim, scale[index]!);
    else return relateBlocks(dim, scale[axis]!, intAttribute(node, "block_size", 0), factors);
    return true;
  });
}

function relateBlocks(dim: Dim, scales: Dim, size: number, factors: Propagation): boolean {
  const count = quotient(sizeOf(dim), [size, size]);
  if (count === undefined || count[0] !== sizeOf(scales)[0]) return false;
  const block = wholeDim([size, size], factors, "a block has one scale");
  factors.unify(dim, [...scales, ...block]);
  return true;
}

/** `[largest, −smallest]` of a tensor and 0. Each rank has those of its share until the all-reduce by maximum. */
const valueRange: Rule = {
  propagate(_operator, factors) {
    for (const dim of factors.input(0)) factors.takeLargest(dim);
    return [[wholeDim([2, 2], factors, "a range")]];
  },
  localize(_operator, local) {
    if (!isShared(local)) return [];
    const [largest, smallest, negated] = [local.value(), local.value(), local.value()];
    const [most, depth, both] = [local.value(), local.value(), local.value()];
    const one = local.constant(int64Tensor([1]));
    const flat = { keepdims: int(0) };
    return [
      makeNode("ReduceMax", [local.input(0)], largest, flat),
      makeNode("ReduceMin", [local.input(0)], smallest, flat),
      makeNode("Neg", [smallest], negated),
      makeNode("Reshape", [largest, one], most),
      makeNode("Reshape", [negated, one], depth),
      makeNode("Concat", [most, depth], both, { axis: int(0) }),
      makeNode("Max", [both, local.constant(float32Scalar(0))], local.output(0)),
    ];
  },
};

/**
 * DynamicQuantizeLinear, given the range of the whole tensor
 * (https://onnx.ai/onnx/operators/onnx__DynamicQuantizeLinear.html):
 *
 *     scale = (largest − smallest) / 255, 1 where that is 0;   zero = round(clip(−smallest / scale, 0, 255))
 */
const quantizeInRange: Rule = {
  propagate(_operator, factors) {
    factors.whole(factors.input(1)[0]!, "a range");
    return [factors.input(0), [], []];
  },
  localize(operator, local) {
    const outputs = operator.node.outputs.map((_, slot) => local.output(slot));
    if (!isShared(local)) return [makeNode("DynamicQuantizeLinear", [local.input(0)], outputs)];
    const [y, scale, zero] = outputs.map((name) => name || local.value()) as [string, string, string];
    const [most, depth, span, step, none] = Array.from({ length: 5 }, () => local.value()) as string[];
    const [raw, clipped, rounded] = [local.value(), local.value(), local.value()];
    const pick = (index: number): string => local.constant(int64Tensor([index], []));
    const number = (value: number): string => local.constant(float32Scalar(value));
    return [
      makeNode("Gather", [local.input(1), pick(0)], most!),
      makeNode("Gather", [local.input(1), pick(1)], depth!),
      makeNode("Add", [most!, depth!], span!),
      makeNode("Div", [span!, number(255)], step!),
      makeNode("Equal", [span!, number(0)], none!),
      makeNode("Where", [none!, number(1), step!], scale),
      makeNode("Div", [depth!, scale], raw),
      makeNode("Clip", [raw, number(0), number(255)], clipped),
      makeNode("Round", [clipped], rounded),
      makeNode("Cast", [rounded], zero, { to: int(toOnnxDataType("uint8")) }),
      makeNode("QuantizeLinear", [local.input(0), scale, zero], y),
    ];
  },
};

function isShared(local: Localization): boolean {
  return local.inputDims(0).some((dim) => local.isSharded(dim));
}

/** DequantizeLinear(Gather(table, ids)) with a single scale: a rank returns zero for rows that it lacks. */
const dequantizedLookup: Rule = {
  propagate(_operator, factors) {
    const [rows, ...rest] = factors.input(0);
    factors.contract(rows!);
    return [[...factors.input(1), ...rest]];
  },
  localize(operator, local) {
    const [rows] = local.inputDims(0);
    const scale = operator.node.inputs.slice(2).map((_, index) => local.input(2 + index));
    const lookUp = (ids: string, output: string): GraphNode[] => {
      const found = local.value();
      return [
        makeNode("Gather", [local.input(0), ids], found),
        makeNode("DequantizeLinear", [found, ...scale], output),
      ];
    };
    if (!local.isSharded(rows!)) return lookUp(local.input(1), local.output(0));
    return maskedRows(local, operator, rows!, lookUp);
  },
};

export const quantizationRules: Rules = {
  QuantizeLinear: scaled,
  DequantizeLinear: scaled,
  "com.microsoft::QuantizeLinear": scaled,
  "com.microsoft::DequantizeLinear": scaled,
  "ringrank::ValueRange": valueRange,
  "ringrank::QuantizeInRange": quantizeInRange,
  "ringrank::DequantizedLookup": dequantizedLookup,
};
