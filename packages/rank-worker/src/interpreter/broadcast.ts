import type { ElementLoop } from "./element-loops.js";
import { type SmallValue, smallValue } from "./small-value.js";

/**
 * The common shape of all operands: https://onnx.ai/onnx/repo-docs/Broadcasting.html. Undefined if they do not
 * broadcast.
 */
export function broadcastSizes(operands: readonly (readonly number[])[]): number[] | undefined {
  const axes = Math.max(...operands.map(({ length }) => length));
  const sizes: number[] = new Array(axes).fill(1);
  for (const dims of operands) {
    for (const [at, size] of dims.entries()) {
      const axis = axes - dims.length + at;
      if (size === 1 || size === sizes[axis]) continue;
      if (sizes[axis] !== 1) return undefined;
      sizes[axis] = size;
    }
  }
  return sizes;
}

/**
 * Prepares an elementwise operation that can be run repeatedly: computes `out` from operands broadcast to its sizes.
 */
export function perElement(loop: ElementLoop, operands: readonly SmallValue[], out: SmallValue): () => void {
  const width = out.dims.at(-1) ?? 1;
  const [x, y, z] = [0, 1, 2].map((at) => new Rows(operands[at] ?? nothing, out.dims)) as [Rows, Rows, Rows];
  return () => {
    const { data } = out;
    const [a, b, c] = [x.value.data, y.value.data, z.value.data];
    for (let row = 0, at = 0; at < data.length; row++, at += width) {
      const [i, j, k] = [x.start(row), y.start(row), z.start(row)];
      loop(data, at, at + width, a, i, x.step, b, j, y.step, c, k, z.step);
    }
  };
}

const nothing = smallValue("bool", [], true);

/** Where the rows of an operand, along its last axis, are when it is broadcast to a larger value. */
class Rows {
  readonly value: SmallValue;
  /** Step between elements of a row: 0 if one element is broadcast. */
  readonly step: 0 | 1;
  /** Sizes of the larger value without its last axis, in reverse order; and the operand's strides. */
  readonly #sizes: readonly number[];
  readonly #strides: readonly number[];

  constructor(value: SmallValue, larger: readonly number[]) {
    this.value = value;
    const own = value.dims.toReversed();
    const width = own[0] ?? 1;
    this.step = width === 1 ? 0 : 1;
    this.#sizes = larger.slice(0, -1).toReversed();
    let stride = width;
    this.#strides = this.#sizes.map((_, at) => {
      const size = own[at + 1] ?? 1;
      const apart = size === 1 ? 0 : stride;
      stride *= size;
      return apart;
    });
  }

  /** Index of a row's first element. */
  start(row: number): number {
    let [rest, start] = [row, 0];
    for (let at = 0; at < this.#sizes.length; at++) {
      const size = this.#sizes[at]!;
      start += (rest % size) * this.#strides[at]!;
      rest = Math.floor(rest / size);
    }
    return start;
  }
}
