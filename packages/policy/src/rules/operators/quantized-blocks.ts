import { type Attribute, type GraphNode, int, intAttribute } from "@ringrank/model";
import { type Dim, freshDim, sizeOf } from "../../factors/factor.js";
import { int64Tensor } from "../../graph/constants.js";
import { makeNode } from "../../graph/make-node.js";
import { isOne } from "../../shapes/size-pair.js";
import { maskedLookup } from "../masked-rows.js";
import { onShare } from "../on-share.js";
import type { Localization, Operand, Operator, Propagation, Rule, Rules } from "../rule.js";
import { wholeDim, wholeEverything } from "../whole.js";

const shareScale = "elements of a block share a scale";

/**
 * `[…, K] × Bᵀ → […, N]` with B `[N, blocks, bytes]` of low-bit integers, and a scale and a zero point for each block
 * of `block_size` elements along K.
 *
 * K is `blocks · block_size`, and ranks do not split blocks. If the units along K (heads of 80 lanes) do not end where
 * blocks do, they are dealt in groups that do:
 *
 *     8 · 80  =  20 · 32   →   heads 4 · 2, lanes 5 · 16, blocks 4 · 5: pairs of heads
 *
 * If the last block is partial, K stays whole.
 */
const matMulNBits: Rule = {
  propagate(operator, factors) {
    const x = factors.input(0);
    const [rows, blocks, bytes] = factors.input(1) as [Dim, Dim, Dim];
    const columns = x.at(-1)!;
    sumOverBlocks(operator, factors, columns, [blocks, bytes]);
    perBlock(factors, 2, rows, blocks);
    zeroPoints(operator, factors, rows, blocks);
    // The columns are ordered differently from the blocks.
    if (operator.inputs[4] !== undefined)
      for (const dim of [columns, blocks, ...factors.input(4)])
        factors.whole(dim, "columns in another order");
    if (operator.inputs[5] !== undefined) factors.unify(factors.input(5)[0]!, rows);
    return [[...x.slice(0, -1), rows]];
  },
  linearity: { kind: "one", slots: [0] },
  addends: [5],
  localize: withLocalSizes,
};

/** Declares that a MatMulNBits sums over columns, in whole blocks of `bytes` each. */
function sumOverBlocks(
  { node }: Operator,
  factors: Propagation,
  columns: Dim,
  [blocks, bytes]: readonly [Dim, Dim],
): void {
  factors.whole(bytes, shareScale);
  const block = intAttribute(node, "block_size", 0);
  if (sizeOf(blocks)[0] * block === sizeOf(columns)[0]) {
    const elements = wholeDim([block, block], factors, shareScale);
    factors.unify(columns, [...blocks, ...elements]);
  } else {
    for (const dim of [columns, blocks]) factors.whole(dim, "the last block is partial");
  }
  factors.contract(columns);
}

/** The node with this rank's K and N. */
function withLocalSizes(operator: Operator, local: Localization): GraphNode[] {
  return [onShare(operator, local, localSizes(local))];
}

function localSizes(local: Localization): Record<"K" | "N", Attribute> {
  const size = (dim: Dim): Attribute => int(local.size(dim)[0]);
  return { K: size(local.inputDims(0).at(-1)!), N: size(local.outputDims(0).at(-1)!) };
}

/**
 * One MatMulNBits per expert: `[experts or 1, rows, K] → [experts, rows, N]` with values `[experts, N, blocks, bytes]`
 * and scales `[experts, N, blocks]`.
 */
const stackedMatMulNBits: Rule = {
  propagate(operator, factors) {
    const [first, xRows, columns] = factors.input(0) as [Dim, Dim, Dim];
    const [experts, rows, blocks, bytes] = factors.input(1) as [Dim, Dim, Dim, Dim];
    sumOverBlocks(operator, factors, columns, [blocks, bytes]);
    if (!isOne(sizeOf(first))) factors.unify(first, experts);
    const scales = factors.input(2);
    for (const [axis, dim] of [experts, rows, blocks].entries()) factors.unify(scales[axis]!, dim);
    return [[experts, xRows, rows]];
  },
  linearity: { kind: "one", slots: [0] },
  localize: productOfEach,
};

/** A MatMulNBits for each of this rank's experts. */
function productOfEach({ node }: Operator, local: Localization): GraphNode[] {
  const [experts] = local.inputDims(1);
  const count = local.size(experts!)[0];
  const first = local.constant(int64Tensor([0]));
  const nodes: GraphNode[] = [];
  const partsOf = (slot: number): readonly string[] => {
    const stack = local.input(slot);
    if (count === 1 || local.size(local.inputDims(slot)[0]!)[0] === 1) return Array(count).fill(stack);
    const outputs = Array.from({ length: count }, () => local.value());
    const sizes = local.constant(int64Tensor(outputs.map(() => 1)));
    nodes.push(makeNode("Split", [stack, sizes], outputs));
    return outputs;
  };
  const matricesOf = (slot: number): readonly string[] =>
    partsOf(slot).map((part) => {
      const matrix = local.value();
      nodes.push(makeNode("Squeeze", [part, first], matrix));
      return matrix;
    });
  const [xs, values, scales] = [partsOf(0), matricesOf(1), matricesOf(2)];
  const attributes = { ...node.attributes, ...localSizes(local) };
  const outputs = count === 1 ? [local.output(0)] : xs.map(() => local.value());
  for (const [at, output] of outputs.entries()) {
    const inputs = [xs[at]!, values[at]!, scales[at]!];
    nodes.push(makeNode("com.microsoft::MatMulNBits", inputs, output, attributes));
  }
  if (count > 1) nodes.push(makeNode("Concat", outputs, local.output(0), { axis: int(0) }));
  return nodes;
}

/**
 * `[…, K] × Bᵀ → […, N]` with B `[N, K]` of 4-bit numbers, two per byte, flattened; and a scale for each block of
 * `block_size` elements of the flattened matrix. Blocks only lie within rows of B if their size divides K.
 */
const matMulBnb4: Rule = {
  propagate(operator, factors) {
    const { node, outputs } = operator;
    const x = factors.input(0);
    const columns = x.at(-1)!;
    const rows = freshDim(outputs[0]!.dims.at(-1)!);
    const block = intAttribute(node, "block_size", 0);
    const count = sizeOf(columns)[0] / block;
    factors.contract(columns);
    if (Number.isInteger(count)) {
      const blocks = freshDim([count, count]);
      const [elements, bytes] = [block, block / 2].map((size) =>
        wholeDim([size, size], factors, shareScale),
      ) as [Dim, Dim];
      factors.unify(columns, [...blocks, ...elements]);
      factors.unify(factors.input(1)[0]!, [...rows, ...blocks, ...bytes]);
      factors.unify(factors.input(2)[0]!, [...rows, ...blocks]);
    } else {
      for (const dim of [columns, rows, ...factors.input(1), ...factors.input(2)])
        factors.whole(dim, "blocks lie across the ends of rows");
    }
    return [[...x.slice(0, -1), rows]];
  },
  linearity: { kind: "one", slots: [0] },
  localize: withLocalSizes,
};

/** One element per block of each row, `[rows, blocks]` or `[rows · blocks]`. */
function perBlock(factors: Propagation, slot: number, rows: Dim, blocks: Dim): void {
  const [first, second] = factors.input(slot);
  if (second === undefined) factors.unify(first!, [...rows, ...blocks]);
  else {
    factors.unify(first!, rows);
    factors.unify(second, blocks);
  }
}

/** One zero point per block. With 4 bits, those of two blocks share a byte, and must be on the same rank. */
function zeroPoints({ node, inputs }: Operator, factors: Propagation, rows: Dim, blocks: Dim): void {
  const operand = inputs[3];
  if (operand === undefined) return;
  const perByte = isPacked(operand) ? 8 / intAttribute(node, "bits", 4) : 1;
  const count = sizeOf(blocks)[0];
  if (perByte === 1 || count === 1) perBlock(factors, 3, rows, blocks);
  else if (count % perByte === 0) {
    const bytes = freshDim([count / perByte, count / perByte]);
    const within = wholeDim([perByte, perByte], factors, "zero points of a byte");
    factors.unify(blocks, [...bytes, ...within]);
    perBlock(factors, 3, rows, bytes);
  } else {
    const bytes = freshDim([Math.ceil(count / perByte), Math.ceil(count / perByte)]);
    for (const dim of [blocks, bytes]) factors.whole(dim, "zero points of a byte");
    perBlock(factors, 3, rows, bytes);
  }
}

/** Whether zero points are packed like the numbers they belong to, not floating-point. */
function isPacked({ type }: Operand): boolean {
  return type === "uint8";
}

/**
 * A lookup in a table `[rows, columns]` of integers, one or several per byte, with scales per block of a row. It sums
 * over the table's rows, like a Gather.
 */
const gatherBlockQuantized: Rule = {
  propagate(operator, factors) {
    const { inputs, outputs } = operator;
    const [rows, columns] = factors.input(0);
    const [table] = inputs as [Operand, ...Operand[]];
    const isLookup = table.isWeight && table.dims.length === 2 && !isOne(table.dims[0]!);
    if (!isLookup) return wholeEverything(operator, factors, "not a lookup of quantized rows");
    factors.contract(rows!);
    const width = wholeDim(outputs[0]!.dims.at(-1)!, factors, shareScale);
    factors.whole(columns!, shareScale);
    for (const slot of [2, 3]) {
      if (inputs[slot] === undefined) continue;
      factors.unify(factors.input(slot)[0]!, rows!);
      factors.whole(factors.input(slot)[1]!, shareScale);
    }
    return [[...factors.input(1), width]];
  },
  localize(operator, local) {
    const rows = local.inputDims(0)[0]!;
    return local.isSharded(rows) ? maskedLookup(operator, local, rows) : [onShare(operator, local)];
  },
};

/** Weights in blocks that share a scale. */
export const quantizedBlockRules: Rules = {
  "com.microsoft::MatMulNBits": matMulNBits,
  "ringrank::StackedMatMulNBits": stackedMatMulNBits,
  "com.microsoft::MatMulBnb4": matMulBnb4,
  "com.microsoft::GatherBlockQuantized": gatherBlockQuantized,
};
