/** For products with weights of a number of bits. */
export interface ProductKernels {
  /** The most bytes of a block of 32 quantized activations of a row: assembly/products/quantized/quantized-rows.ts. */
  readonly blockBytes: number;
  /**
   * Bytes of workspace after quantized rows of so many blocks, for multiplying them:
   * assembly/products/quantized/several-rows.ts and eight-rows.ts.
   */
  roomBytes(blocks: number): number;
  /**
   * Converts a group of blocks of each row to integers: assembly/products/quantized/many-rows/group-weights.ts.
   *
   * @param scaleBytes bytes of a scale: 4 for float32, 2 for bfloat16
   * @param rowBlocks number of blocks from one row to the next
   * @param toNextScale bytes from a block's scale to that of the row's next block
   * @param out `[count, blocks · 32]`
   * @param outScales `[count]`
   */
  groupWeights(
    values: number,
    scales: number,
    scaleBytes: number,
    rowBlocks: number,
    toNextScale: number,
    blocks: number,
    out: number,
    outScales: number,
    count: number,
  ): void;
}

/** What assembly/ exports. Addresses are bytes of the memory that the kernels were opened with. */
export interface KernelExports {
  /** Computes attention with the block of arguments at this address; see attention/row-attention.ts. */
  attend(args: number, isWide: boolean): void;
  /** Makes the calls from `first` to `end` (exclusive) of a list; see kernels/call-list.ts. */
  makeCalls(first: number, end: number): void;
  add(x: number, y: number, out: number, count: number): void;
  addRow(x: number, row: number, out: number, rows: number, width: number): void;
  /**
   * Copies a row of every state of a cache: assembly/append-rows.ts.
   *
   * @param list see cache/row-appender.ts
   * @param place the row of the slot to which it is copied
   */
  appendRows(list: number, states: number, batchRow: number, slot: number, place: number): void;
  copyHeads(
    from: number,
    fromRow: number,
    fromHead: number,
    to: number,
    toRow: number,
    toHead: number,
    rows: number,
    heads: number,
    headBytes: number,
  ): void;
  rotateHeads(
    at: number,
    rows: number,
    heads: number,
    lanes: number,
    rotated: number,
    interleaved: boolean,
    cos: number,
    sin: number,
  ): void;
  /**
   * Runs the instructions from `first` to `end` (exclusive) on this many floats; see elementwise/instruction-list.ts.
   */
  elementwise(first: number, end: number, count: number): void;
  /**
   * Runs them on consecutive rows, and writes row r of the last instruction's result as row `order[r]`.
   *
   * @param columns a multiple of 4
   * @param outBytes bytes between rows of the output
   */
  elementwiseRows(
    first: number,
    end: number,
    rows: number,
    columns: number,
    order: number,
    outBytes: number,
  ): void;
  normalize(
    x: number,
    out: number,
    rows: number,
    width: number,
    scale: number,
    bias: number,
    epsilon: number,
    centered: boolean,
  ): void;
  /**
   * Multiplies by a matrix of float32: assembly/products/floats/multiply-floats.ts.
   *
   * @param bias 0 for none
   * @param outBytes bytes between rows of `out`
   * @param count number of rows of the matrix
   * @param mostStreams the most streams of the matrix to read in parallel: eight, or four
   */
  multiplyFloats(
    x: number,
    rows: number,
    values: number,
    bias: number,
    out: number,
    outBytes: number,
    count: number,
    width: number,
    mostStreams: number,
  ): void;
  /**
   * Multiplies a few rows by a matrix of bfloat16: assembly/products/bfloats/multiply-bfloats.ts.
   *
   * @param x what {@link splitRows} wrote, followed by scratch space for 64 floats
   * @param bias 0 for none
   * @param outBytes bytes between rows of `out`
   * @param count number of rows of the matrix
   * @param mostStreams the most streams of the matrix to read in parallel: eight, or four
   */
  multiplyBfloats(
    x: number,
    rows: number,
    values: number,
    bias: number,
    out: number,
    outBytes: number,
    count: number,
    width: number,
    mostStreams: number,
  ): void;
  /** Puts floats in the order in which they are multiplied by bfloat16: assembly/products/bfloats/split-rows.ts. */
  splitRows(x: number, rows: number, width: number, out: number): void;
  /** Copies rows of floats to rows of `outWidth`, which end with zeros: assembly/products/floats/space-rows.ts. */
  spaceRows(from: number, rows: number, width: number, out: number, outWidth: number): void;
  /** Does the same with rows of bfloat16, as the floats that they stand for. */
  widenRows(from: number, rows: number, width: number, out: number, outWidth: number): void;
  /**
   * Transposes `[count, rows]` products to rows of `count`, and adds a bias:
   * assembly/products/floats/transpose-products.ts.
   *
   * @param bias 0 for none
   * @param outBytes bytes between rows of `out`
   */
  transposeProducts(
    from: number,
    rows: number,
    bias: number,
    out: number,
    outBytes: number,
    count: number,
  ): void;
  /** Prefetches the beginning of a matrix for a product of one row: assembly/products/begin-matrix.ts. */
  beginMatrix(values: number, streams: number, toNext: number, from: number, to: number): void;
  /** How many rows of a matrix are read in parallel if this many are left: assembly/products/streams.ts. */
  streamsOf(left: number): number;
  /** How many rows each of this many streams has. */
  rowsOfEach(left: number, streams: number, rowBytes: number): number;
  /** The same for float matrices and one row: assembly/products/floats/multiply-floats.ts. */
  oneRowsOfEach(left: number, streams: number, rowBytes: number): number;
  /** 2 if bfloat16 can represent all of these scales, or 4: assembly/products/quantized/stream-scales.ts. */
  scaleBytesOf(scales: number, count: number): 2 | 4;
  /**
   * Interleaves streams of scales, `[streams, count]` to `[count, streams]`.
   *
   * @param outBytes bytes of a scale in `out`: 4 for float32, 2 for bfloat16
   */
  streamScales(from: number, streams: number, count: number, out: number, outBytes: number): void;
  /**
   * Quantizes rows for products with weights of 4 bits: assembly/products/quantized/quantized-rows.ts.
   *
   * @param isApart how several rows are stored, and multiplied: each by itself, for engines that make 256-bit operations
   *   of pairs of 128-bit ones, or in groups, for others. The results have the same bits.
   * @param out has room for 32 floats after the quantized rows
   */
  quantize4(x: number, rows: number, width: number, isApart: boolean, out: number): void;
  /**
   * Multiplies a few rows by a matrix of such weights: assembly/products/quantized/multiply.ts.
   *
   * @param x the output of `quantize4`, with its workspace after the rows
   * @param isApart as it was for `quantize4`
   * @param scales in the order of products/quantized/streamed-scales.ts
   * @param scaleBytes bytes of a scale: 4 for float32, 2 for bfloat16
   * @param bias 0 for none
   * @param outBytes bytes between rows of `out`
   * @param count number of rows of the matrix
   */
  multiply4(
    x: number,
    rows: number,
    isApart: boolean,
    values: number,
    scales: number,
    scaleBytes: number,
    bias: number,
    out: number,
    outBytes: number,
    count: number,
    blocks: number,
  ): void;
  /** The same for weights of 8 bits. */
  readonly quantize8: KernelExports["quantize4"];
  readonly multiply8: KernelExports["multiply4"];
  readonly groupWeights4: ProductKernels["groupWeights"];
  readonly groupWeights8: ProductKernels["groupWeights"];
  /**
   * Converts a group of activations to integers and transposes them: assembly/products/quantized/many-rows/group-activations.ts.
   *
   * @param rowBytes bytes between rows
   * @param bytes bytes of the group's floats in a row
   * @param flip 0 for signed bytes, 128 for unsigned ones
   * @returns how many rows have rests
   */
  groupActivations(
    x: number,
    rows: number,
    rowBytes: number,
    bytes: number,
    flip: 0 | 128,
    most: number,
    out: number,
    rests: number,
    scales: number,
    order: number,
    scratch: number,
  ): number;
  /** Writes the sums of a group, plus a bias: assembly/products/quantized/many-rows/group-sums.ts. */
  beginSums(
    sums: number,
    scales: number,
    columnScales: number,
    order: number,
    bias: number,
    out: number,
    outBytes: number,
    columns: number,
    count: number,
  ): void;
  /** Adds the sums of another group. */
  addSums(
    sums: number,
    scales: number,
    columnScales: number,
    factor: number,
    order: number,
    out: number,
    outBytes: number,
    columns: number,
    count: number,
  ): void;
  /**
   * Skips floats that are not above the threshold: assembly/skip-tokens.ts.
   *
   * @returns where the first group of eight starts, from `from`, of which one is; or the last few
   */
  skipSmall(keys: number, from: number, count: number, threshold: number): number;
  /**
   * Does the same with floats that stay below `best` after multiplication and addition of noise.
   *
   * @param id the token of the first one
   * @param first of {@link GumbelNoise}, as is `second`
   * @param least below the factor, which is at most `most`
   */
  skipUnlikely(
    logits: number,
    from: number,
    count: number,
    id: number,
    first: number,
    second: number,
    least: number,
    most: number,
    best: number,
  ): number;
  /** The largest of some floats; −∞ if there are none. */
  largest(values: number, count: number): number;
  /** Σ exp((x − most) · factor), in float64, of floats x that are at most `most`: assembly/sum-exponentials.ts. */
  sumExponentials(values: number, count: number, most: number, factor: number): number;
}
