import { elementCount } from "@ringrank/model/weights";
import type { NodeContext, ShapeRule, ShapeRules } from "../node-context.js";

/** The slots of an operator's expert weights, and their packing. */
interface Stacks {
  readonly up: number;
  readonly upBias: number;
  readonly down: number;
  readonly downBias: number;
  /** Slots of a separate gate, which must be absent. */
  readonly apart: readonly number[];
  /** Weights per stored element, along the last axis. */
  readonly perElement: number;
}

/** The sizes of an operator's experts. */
interface Sizes {
  readonly rows: number;
  readonly width: number;
  readonly experts: number;
  readonly inner: number;
  /** Outputs of `up`: with a gate, twice `inner`. */
  readonly made: number;
}

/**
 * com.microsoft.MoE: routes each row to `k` experts
 * (https://github.com/microsoft/onnxruntime/blob/main/docs/ContribOperators.md#com.microsoft.MoE).
 *
 *     0 rows         [rows, width], or [batch, sequence, width]
 *     1 router       [rows, experts]
 *     2 up, 3 bias   [experts, inner, width], [experts, inner]; twice inner with interleaved gates (swiglu)
 *     4 down, 5 bias [experts, width, inner], [experts, width]
 *
 * Its other forms have no CPU kernel.
 */
const moe: ShapeRule = (node) => {
  checkMixture(node, { up: 2, upBias: 3, down: 4, downBias: 5, apart: [6, 7], perElement: 1 });
  return [node.input(0)];
};

/**
 * com.microsoft.QMoE: the same with integer weights of few bits, several per byte, and scales per row, or per block of
 * `block_size` weights in a row
 * (https://github.com/microsoft/onnxruntime/blob/main/docs/ContribOperators.md#com.microsoft.QMoE).
 *
 *     2 up, 3 scales, 4 bias, 11 zero points
 *     5 down, 6 scales, 7 bias, 12 zero points
 *     14 routing weights   [rows, experts], if the router's scores only choose experts
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

/** Checks that all sizes are consistent, since kernels do not. */
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
  const rows = elementCount(dims.slice(0, -1));
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

/** Operators that contain the feed-forwards of experts. */
export const expertRules: ShapeRules = {
  "com.microsoft::MoE": moe,
  "com.microsoft::QMoE": qmoe,
};
