import type { NodeContext, ShapeRule, ShapeRules } from "../node-context.js";

/** Blocks of low-bit integers that share a scale. */
interface Blocks {
  readonly bits: number;
  /** Elements of a block. */
  readonly size: number;
  /** The numbers above, for messages. */
  readonly text: string;
}

/**
 * com.microsoft.MatMulNBits: `[…, K] → […, N]`
 * (https://github.com/microsoft/onnxruntime/blob/main/docs/ContribOperators.md#com.microsoft.MatMulNBits). All sizes
 * are checked here, since kernels do not check them.
 *
 *     1 values       uint8 [N, blocks, size · bits / 8]     blocks = ⌈K / size⌉
 *     2 scales       [N, blocks]
 *     3 zero points  uint8 [N, ⌈blocks · bits / 8⌉], or in the scales' type [N, blocks]
 *     4 order        int32 [K] or [blocks · size]
 *     5 bias         [N]
 *
 * The axes of scales and zero points may be joined.
 */
const matMulNBits: ShapeRule = (node) => {
  const [inner, columns] = [node.requiredInt("K"), node.requiredInt("N")];
  const { bits, size, ...blocks } = blocksOf(node, node.int("bits", 4), node.requiredInt("block_size"));
  const numbers = { text: `K = ${inner}, N = ${columns}, ${blocks.text}` };
  if (inner < 1 || columns < 1) node.fail(`K and N of at least 1, not ${numbers.text}`);
  const dims = node.dims(0);
  if (dims.at(-1) !== inner) node.fail(`the last size of input 0 to be K, for ${numbers.text}`);
  const count = Math.ceil(inner / size);
  requireType(node, 1, "values", "uint8");
  requireShape(node, 1, "values", numbers, [columns, count, (size * bits) / 8]);
  requireType(node, 2, "scales", node.type(0));
  requireShape(node, 2, "scales", numbers, [columns, count], [columns * count]);
  const zeroPoints = node.optional(3);
  if (zeroPoints !== undefined) {
    if (zeroPoints.type !== "uint8") requireType(node, 3, "zero points", node.type(2));
    const each = zeroPoints.type === "uint8" ? Math.ceil((count * bits) / 8) : count;
    requireShape(node, 3, "zero points", numbers, [columns, each], [columns * each]);
  }
  if (node.optional(4) !== undefined) requireShape(node, 4, "order", numbers, [inner], [count * size]);
  if (node.optional(5) !== undefined) requireShape(node, 5, "bias", numbers, [columns]);
  return [{ type: node.type(0), dims: [...dims.slice(0, -1), columns] }];
};

/**
 * One MatMulNBits per expert (rules/operators/quantized-blocks.ts): `[experts or 1, rows, K] → [experts, rows, N]` with
 * values uint8 `[experts, N, blocks, size · bits / 8]` and scales `[experts, N, blocks]`. Only the policy creates these
 * nodes, so their shapes need no check.
 */
const stackedMatMulNBits: ShapeRule = (node) => {
  const [experts, columns] = node.dims(1);
  return [{ type: node.type(0), dims: [experts!, node.dims(0)[1]!, columns!] }];
};

/**
 * com.microsoft.MatMulBnb4: `[…, K] → […, N]`, with bitsandbytes' quantization
 * (https://github.com/microsoft/onnxruntime/blob/main/docs/ContribOperators.md#com.microsoft.MatMulBnb4).
 *
 *     1 values  uint8 [⌈N · K / 2⌉]      the matrix `[N, K]`, flattened, two elements per byte
 *     2 scales  [⌈N · K / block_size⌉]   of blocks of the flattened matrix
 */
const matMulBnb4: ShapeRule = (node) => {
  const [inner, columns] = [node.requiredInt("K"), node.requiredInt("N")];
  const { size, text } = blocksOf(node, 4, node.requiredInt("block_size"));
  const numbers = { text: `K = ${inner}, N = ${columns}, ${text}` };
  if (inner < 1 || columns < 1) node.fail(`K and N of at least 1, not ${numbers.text}`);
  if (node.int("transB", 1) !== 1)
    node.fail("a matrix with one row for each column of the product (transB = 1)");
  const dims = node.dims(0);
  if (dims.at(-1) !== inner) node.fail(`the last size of input 0 to be K, for ${numbers.text}`);
  requireType(node, 1, "values", "uint8");
  requireShape(node, 1, "values", numbers, [Math.ceil((columns * inner) / 2)]);
  requireType(node, 2, "scales", node.type(0));
  requireShape(node, 2, "scales", numbers, [Math.ceil((columns * inner) / size)]);
  return [{ type: node.type(0), dims: [...dims.slice(0, -1), columns] }];
};

/**
 * com.microsoft.GatherBlockQuantized: a Gather, in the scales' type, from data that is packed into bytes along the last
 * axis
 * (https://github.com/microsoft/onnxruntime/blob/main/docs/ContribOperators.md#com.microsoft.GatherBlockQuantized).
 * Scales have the shape of the data, with blocks along `quantize_axis`; zero points have that of the scales, packed
 * like the data.
 */
const gatherBlockQuantized: ShapeRule = (node) => {
  const data = node.input(0);
  const rank = data.dims.length;
  const axis = node.axis(node.int("gather_axis", 0), rank);
  const quantized = node.axis(node.int("quantize_axis", 1), rank);
  const blocks = blocksOf(node, node.int("bits", 4), node.int("block_size", 128));
  const { bits, size } = blocks;
  requireType(node, 0, "data", "uint8");
  if (axis !== 0 || quantized !== rank - 1 || rank < 2) {
    node.fail(
      `bytes gathered along the first axis and quantized along the last, not ${axis} and ${quantized}`,
    );
  }
  const perByte = 8 / bits;
  const width = data.dims.at(-1)! * perByte;
  const scales = data.dims.with(-1, Math.ceil(width / size));
  requireShape(node, 2, "scales", blocks, scales);
  if (node.optional(3) !== undefined) {
    requireType(node, 3, "zero points", "uint8");
    requireShape(node, 3, "zero points", blocks, scales.with(-1, Math.ceil(scales.at(-1)! / perByte)));
  }
  return [{ type: node.type(2), dims: [...node.dims(1), ...data.dims.slice(1, -1), width] }];
};

function blocksOf(node: NodeContext, bits: number, size: number): Blocks {
  const text = `bits = ${bits}, block_size = ${size}`;
  if (![2, 4, 8].includes(bits)) node.fail(`bits of 2, 4 or 8, not ${text}`);
  if (size < 16 || !Number.isInteger(Math.log2(size)))
    node.fail(`a block_size of 16, 32, 64, …, not ${text}`);
  return { bits, size, text };
}

function requireType(node: NodeContext, slot: number, meaning: string, type: string): void {
  if (node.type(slot) !== type) node.fail(`input ${slot} (${meaning}) of ${type}`);
}

function requireShape(
  node: NodeContext,
  slot: number,
  meaning: string,
  { text }: Pick<Blocks, "text">,
  ...allowed: readonly (readonly number[])[]
): void {
  const found = `${node.dims(slot)}`;
  if (allowed.some((dims) => found === `${dims}`)) return;
  const shapes = allowed.map((dims) => `[${dims}]`).join(" or ");
  node.fail(`input ${slot} (${meaning}) of shape ${shapes}, for ${text}`);
}

/** Operators with weights in blocks that share a scale. */
export const quantizedBlockRules: ShapeRules = {
  "com.microsoft::MatMulNBits": matMulNBits,
  "ringrank::StackedMatMulNBits": stackedMatMulNBits,
  "com.microsoft::MatMulBnb4": matMulBnb4,
  "com.microsoft::GatherBlockQuantized": gatherBlockQuantized,
};
