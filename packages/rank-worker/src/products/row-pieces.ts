/** Rows of activations that a session multiplies at once, so that a long prompt needs no more room than others. */
const mostRows = 512;

/** Values of so many rows each, cut into pieces of about as many rows: each time, a piece of every value. */
export function* rowPieces(values: readonly Float32Array[], rows: number): Generator<Float32Array[]> {
  const most = Math.ceil(rows / Math.ceil(rows / mostRows));
  for (let first = 0; first < rows; first += most) {
    const end = Math.min(rows, first + most);
    yield values.map((value) => {
      const width = value.length / rows;
      return value.subarray(first * width, end * width);
    });
  }
}
