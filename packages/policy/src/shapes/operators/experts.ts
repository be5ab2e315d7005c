import type { NodeContext, ShapeRule, ShapeRules } from "../node-context.js";

/** Where an operator has the weights of its experts, and how they are kept. */
interface Stacks {
  readonly up: number;
  readonly upBias: number;
  readonly down: number;
  readonly downBias: number;
  /** What would be apart from `up`: a gate. */
  readonly apart: readonly number[];
  /** Numbers in one element of a weight, along its last axis. */
  readonly perElement: number;
}

/** What an operator's experts are made of. */
interface Sizes {
  readonly rows: number;
  readonly width: number;
  readonly experts: number;
  readonly inner: number;
  /** What `up` makes for them: a gate, too, where there is one. */
  readonly made: number;
}

/**
 * com.microsoft.MoE: rows go to `k` of some experts each, as their router says
 * (https://github.com/microsoft/onnxruntime/blob/main/docs/ContribOperators.md#com.microsoft.MoE).
 *
 *     0 rows         [rows, width], or [batch, sequence, width]
 *     1 router       [rows, experts]
 *     2 up, 3 bias   [experts, inner, width], [experts, inner]; twice inner where each second one is a gate (swiglu)
 *     4 down, 5 bias [experts, width, inner], [experts, width]
 *
 * Other forms of it have no kernel for CPUs.
 */
const moe: ShapeRule = (node) => {
  checkMixture(node, { up: 2, upBias: 3, down: 4, downBias: 5, apart: [6, 7], perElement: 1 });
  return [node.input(0)];
};

/**
 * com.microsoft.QMoE: the same with weights in whole numbers of few bits, several to a byte, and scales for each of their
 * rows, or for each block of `block_size` numbers of it
 * (https://github.com/microsoft/onnxruntime/blob/main/docs/ContribOperators.md#com.microsoft.QMoE).
 *
 *     2 up, 3 scales, 4 bias, 11 zero points
 *     5 down, 6 scales, 7 bias, 12 zero points
 *     14 weights of experts   [rows, experts], where the router's scores only choose
 */
const qmoe: ShapeRule = (node) => {
  const kind = node.string("quant_type", "int");
  if (kind !== "int")
    node.fail(`whole numbers (quant_type = int), not ${kind}, which has no kernel for CPUs`);
  const bits = node.int("expert_weight_bits", 4);
  if (![2, 4, 8].includes(bits)) node.fail(`expert_weight_bits of 2, 4 or 8, not ${bits}`);
  const perByte = 8 / bits;
  const { rows, width, experts, inner, made } = checkMixture(node, {
    up: 2,
    upBias: 4,
    down: 5,
    downBias: 7,
    apart: [8, 9, 10, 13],
    perElement: perByte,
  });
  const block = node.int("block_size", 0);
  if (block > 0 && (width % block > 0 || inner % block > 0))
    node.fail(`a width (${width}) and an inner width (${inner}) of whole blocks of ${block}`);
  const perRow = (count: number, of: number): number[] =>
    block > 0 ? [experts, count, of / block] : [experts, count];
  requireShape(node, 3, perRow(made, width));
  requireShape(node, 6, perRow(width, inner));
  const packed = (dims: readonly number[]): number[] => dims.with(-1, dims.at(-1)! / perByte);
  requireShape(node, 11, packed(perRow(made, width)));
  requireShape(node, 12, packed(perRow(width, inner)));
  requireShape(node, 14, [rows, experts]);
  return [node.input(0)];
};

/** Kernels believe these sizes: that all agree is checked here. */
function checkMixture(node: NodeContext, { up, upBias, down, downBias, apart, perElement }: Stacks): Sizes {
  const { dims } = node.input(0);
  if (dims.length !== 2 && dims.length !== 3) node.fail("input 0 to be rows, or a batch of them");
  const isGated = node.string("activation_type", "relu") === "swiglu";
  if (
    (isGated && node.int("swiglu_fusion", 0) !== 1) ||
    apart.some((slot) => node.optional(slot) !== undefined)
  )
    node.fail(
      "a gate in every second row of input 2 (swiglu_fusion = 1): other forms have no kernel for CPUs",
    );
  const rows = dims.slice(0, -1).reduce((product, size) => product * size, 1);
  const width = dims.at(-1)!;
  const experts = node.dims(1).at(-1) ?? 0;
  const chosen = node.int("k", 1);
  if (chosen < 1 || chosen > experts)
    node.fail(`k from 1 to the number of experts, ${experts}, not ${chosen}`);
  const inner = (node.dims(down).at(-1) ?? 0) * perElement;
  const made = isGated ? 2 * inner : inner;
  requireShape(node, 1, [rows, experts]);
  requireShape(node, up, [experts, made, width / perElement]);
  requireShape(node, down, [experts, width, inner / perElement]);
  requireShape(node, upBias, [experts, made]);
  requireShape(node, downBias, [experts, width]);
  return { rows, width, experts, inner, made };
}

function requireShape(node: NodeContext, slot: number, dims: readonly number[]): void {
  const found = node.optional(slot)?.dims;
  if (found !== undefined && `${found}` !== `${dims}`) node.fail(`input ${slot} of shape [${dims}]`);
}

/** Operators that have a feed-forward of experts inside. */
export const expertRules: ShapeRules = {
  "com.microsoft.MoE": moe,
  "com.microsoft.QMoE": qmoe,
};
