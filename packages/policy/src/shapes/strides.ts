import { elementCount } from "@ringrank/model/weights";

/** Row-major strides, in elements. */
export function rowMajorStrides(dims: readonly number[]): number[] {
  const strides = new Array<number>(dims.length);
  let stride = 1;
  for (let axis = dims.length - 1; axis >= 0; axis--) {
    strides[axis] = stride;
    stride *= dims[axis]!;
  }
  return strides;
}

/**
 * Reads a strided view of `source` in row-major order: element `i` of the result is
 * `source[offset + Σ iₐ·strides[a]]`. Transpose, Slice, Split, Expand and Tile are views of this kind.
 */
export function readView(
  source: readonly number[],
  dims: readonly number[],
  strides: readonly number[],
  offset = 0,
): number[] {
  const result = new Array<number>(elementCount(dims));
  const position = new Array<number>(dims.length).fill(0);
  let from = offset;
  for (let i = 0; i < result.length; i++) {
    result[i] = source[from]!;
    for (let axis = dims.length - 1; axis >= 0; axis--) {
      from += strides[axis]!;
      if (++position[axis]! < dims[axis]!) break;
      from -= strides[axis]! * dims[axis]!;
      position[axis] = 0;
    }
  }
  return result;
}

/** `source` of shape `dims` broadcast to `target`, as numpy and ONNX do: right-aligned, size 1 repeated. */
export function readBroadcast(
  source: readonly number[],
  dims: readonly number[],
  target: readonly number[],
): readonly number[] {
  if (source.length === 1) return new Array<number>(elementCount(target)).fill(source[0]!);
  if (source.length === elementCount(target)) return source;
  const own = rowMajorStrides(dims);
  const missing = target.length - dims.length;
  const strides = target.map((_, axis) =>
    axis < missing || dims[axis - missing] === 1 ? 0 : own[axis - missing]!,
  );
  return readView(source, target, strides);
}
