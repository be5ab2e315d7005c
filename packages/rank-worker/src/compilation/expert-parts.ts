import { type Tensor, tensor, toMessage } from "../tensors/tensor.js";

/**
 * The experts' parts of stacks, `[1, …]`, as views. Each part is one object, however many steps use it, because what is
 * known about a matrix is looked up by its tensor.
 */
export class ExpertParts {
  readonly #weightOf: (name: string) => Tensor | undefined;
  readonly #parts = new Map<string, readonly Tensor[]>();

  /** @param weightOf returns a weight that the rank keeps */
  constructor(weightOf: (name: string) => Tensor | undefined) {
    this.#weightOf = weightOf;
  }

  /** By expert; undefined if there is no such stack. */
  of(name: string): readonly Tensor[] | undefined {
    const stack = this.#weightOf(name);
    if (stack === undefined) return undefined;
    const parts = this.#parts.get(name) ?? split(stack);
    this.#parts.set(name, parts);
    return parts;
  }
}

function split(stack: Tensor): Tensor[] {
  const { type, data } = toMessage(stack);
  const [count, ...dims] = stack.dims as [number, ...number[]];
  const size = data.length / count;
  return Array.from({ length: count }, (_, expert) =>
    tensor(type, data.subarray(expert * size, (expert + 1) * size), [1, ...dims]),
  );
}
