import { type SmallData, type SmallValue, smallValue } from "./small-value.js";

/** Of all operands: https://onnx.ai/onnx/repo-docs/Broadcasting.html. Undefined where they do not fit together. */
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

/** Of as many operands as an operator has, up to three; what is left of those is 0. */
export type PerElement = (x: number, y: number, z: number) => number;

/** `out[i…] = f(operands[i…] …)`: operands are broadcast to the sizes of `out`. Ready to run, again and again. */
export function perElement(f: PerElement, operands: readonly SmallValue[], out: SmallValue): () => void {
  const width = out.dims.at(-1) ?? 1;
  const [x, y, z] = [0, 1, 2].map((at) => new Rows(operands[at] ?? nothing, out.dims)) as [Rows, Rows, Rows];
  return () => {
    const to = out.data;
    for (let row = 0, at = 0; at < to.length; row++) {
      applyToRow(f, x, y, z, row, to, at, width);
      at += width;
    }
  };
}

function applyToRow(
  f: PerElement,
  x: Rows,
  y: Rows,
  z: Rows,
  row: number,
  to: SmallData,
  start: number,
  width: number,
): void {
  const [a, b, c] = [x.value.data, y.value.data, z.value.data];
  let [i, j, k] = [x.start(row), y.start(row), z.start(row)];
  for (let at = start; at < start + width; at++, i += x.step, j += y.step, k += z.step)
    to[at] = f(a[i]!, b[j]!, c[k]!);
}

const nothing = smallValue("bool", [], true);

/** Where the rows of an operand lie, along its last axis, as those of a larger value are made of them. */
class Rows {
  readonly value: SmallValue;
  /** From one element of a row to the next: 0 where there is one for all. */
  readonly step: 0 | 1;
  /** Sizes of the larger value, last axis excepted, from the last to the first; and how far the operand's are apart. */
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
