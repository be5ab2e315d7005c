/**
 * Ranged reads of weights, for the threads that hold them. Files are little-endian, as is every machine that
 * ONNX Runtime has a Node package for.
 */
export { allocate, byteCount, bytesOf, bytesPerElement, elementCount } from "./element-types.js";
export { type ReadStatistics, readStatistics } from "./read-at.js";
export { rowPieces } from "./row-pieces.js";
export { type Interval, type Selection, selectedDims, totalLength } from "./runs.js";
export { bytesOfShard, bytesOfShards } from "./shard-bytes.js";
export { ShardReader, type ShardReaderOptions, type WeightShard } from "./shard-reader.js";
