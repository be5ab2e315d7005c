import { type FileHandle, mkdir, open, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Graph, Weight } from "../graph/graph.js";
import { byteCount, bytesOf } from "../weights/element-types.js";
import { ShardReader } from "../weights/index.js";
import { encodeOnnx } from "./encode-onnx.js";

const dataFile = "model.onnx_data";
/** Weights start at multiples of a page, so that a runtime can map them. */
const alignment = 4096;
/** Bytes of a weight that are in memory at a time. */
const chunkBytes = 16 * 1024 * 1024;

/**
 * Writes `model.onnx` and its weights, `model.onnx_data`, to `directory`, so that any ONNX runtime can run it unsplit.
 * Weights are converted to their type in the graph (float32) as they are copied, a few MB at a time.
 *
 * @returns the path of `model.onnx`, which is written last: while it is missing, the export is not complete
 * @throws RR_MISSING_FILE if the graph was built from a config alone; what reading weights throws
 */
export async function writeOnnx(graph: Graph, directory: string): Promise<string> {
  await mkdir(directory, { recursive: true });
  const offsets = new Map<string, number>();
  const file = await open(join(directory, dataFile), "w");
  try {
    using reader = new ShardReader();
    let end = 0;
    for (const [name, weight] of graph.weights) {
      if (weight.source.kind === "inline") continue;
      offsets.set(name, end);
      end += await appendWeight(file, weight, reader);
      const padding = (alignment - (end % alignment)) % alignment;
      await file.appendFile(new Uint8Array(padding));
      end += padding;
    }
  } finally {
    await file.close();
  }
  const onnx = encodeOnnx(graph, {
    locate: (name) => ({ location: dataFile, offset: offsets.get(name)! }),
  });
  const path = join(directory, "model.onnx");
  await writeFile(path, onnx);
  return path;
}

/** Returns the bytes written. */
async function appendWeight(file: FileHandle, weight: Weight, reader: ShardReader): Promise<number> {
  const [rows = 1, ...rest] = weight.dims;
  const rowBytes = byteCount(weight.type, rest);
  const step = Math.max(1, Math.floor(chunkBytes / rowBytes));
  for (let row = 0; row < rows; row += step) {
    const end = Math.min(row + step, rows);
    const dims = weight.dims.length === 0 ? [] : [end - row, ...rest];
    const selection = dims.map((dim, axis): [number, number][] => (axis === 0 ? [[row, end]] : [[0, dim]]));
    await file.appendFile(bytesOf(reader.read({ weight, selection, dims })));
  }
  return rows * rowBytes;
}
