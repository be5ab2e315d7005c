/**
 * Rows of activations that a session multiplies at once, so that a long prompt needs no more memory than a shorter one.
 */
const mostRows = 512;

/**
 * Cuts values with the same number of rows into pieces of about equal size, and yields one piece of every value at a
 * time.
 */
export function* inPieces(values: readonly Float32Array[], rows: number): Generator<Float32Array[]> {
  const most = Math.ceil(rows / Math.ceil(rows / mostRows));
  for (let first = 0; first < rows; first += most) {
    const end = Math.min(rows, first + most);
    yield values.map((value) => {
      const width = value.length / rows;
      return value.subarray(first * width, end * width);
    });
  }
}
