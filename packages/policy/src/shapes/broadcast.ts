import type { NodeContext } from "./node-context.js";

/**
 * The shape to which two shapes broadcast (https://onnx.ai/onnx/repo-docs/Broadcasting.html): right-aligned sizes that
 * are equal, or one of which is 1.
 */
export function broadcast(node: NodeContext, a: readonly number[], b: readonly number[]): readonly number[] {
  const [long, short] = a.length >= b.length ? [a, b] : [b, a];
  const missing = long.length - short.length;
  let result: number[] | undefined;
  for (let axis = missing; axis < long.length; axis++) {
    const own = long[axis]!;
    const other = short[axis - missing]!;
    if (own === other || other === 1) continue;
    if (own !== 1) node.fail(`shapes that broadcast, not [${a}] and [${b}]`);
    result ??= [...long];
    result[axis] = other;
  }
  return result ?? long;
}
