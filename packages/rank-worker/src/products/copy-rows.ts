/** Copies rows of `width` floats to their place in rows of `outWidth`. */
export function copyRows(
  from: Float32Array,
  width: number,
  out: Float32Array,
  outWidth: number,
  offset: number,
): void {
  for (let row = 0, at = offset; at < out.length; row++, at += outWidth) {
    out.set(from.subarray(row * width, (row + 1) * width), at);
  }
}
