import { type Tensor, tensor, toMessage } from "../tensors/tensor.js";

/** For each index of the stacks' first axis: the parts there, `[1, …]`, by the names of the stacks, without a copy. */
export function splitStacks(stacks: readonly (readonly [string, Tensor])[]): Record<string, Tensor>[] {
  const count = stacks[0]?.[1].dims[0] ?? 0;
  return Array.from({ length: count }, (_, expert) =>
    Object.fromEntries(stacks.map(([name, stack]) => [name, partOf(stack, expert)])),
  );
}

function partOf(stack: Tensor, index: number): Tensor {
  const { type, data } = toMessage(stack);
  const size = data.length / stack.dims[0]!;
  return tensor(type, data.subarray(index * size, (index + 1) * size), [1, ...stack.dims.slice(1)]);
}
