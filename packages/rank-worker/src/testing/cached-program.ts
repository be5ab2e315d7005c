import { join } from "node:path";
import type { Weight } from "@ringrank/model";
import type { RankProgram } from "@ringrank/policy";
import { temporaryDirectory } from "../../../../test/support/temporary-directory.js";

/** The size of a quantized program's entry: the blocks of its row. */
export const entryBytes = 2 * 16;

/** A program with one 2 × 64 matrix of a file, of which a rank has one row. */
export function program(file: string, { rank = 0, quantized = true } = {}): RankProgram {
  const stored = { kind: "file", file, offset: 0, storedAs: "bfloat16" } as const;
  const matrix = { dims: [2, 64] as const, transposed: false, source: stored };
  const weight: Weight = quantized
    ? { type: "uint8", dims: [2, 2, 16], source: { kind: "quantized", part: "values", bits: 4, matrix } }
    : { type: "float32", dims: [2, 64], source: stored };
  const inner = weight.dims.slice(1).map((dim) => [[0, dim] as const]);
  return {
    rank,
    worldSize: 2,
    entries: {},
    segments: [],
    weights: { w: { weight, selection: [[[rank, rank + 1]], ...inner], dims: [1, ...weight.dims.slice(1)] } },
    // As the policy counts, which an entry need not.
    bytes: 1000,
  };
}

/** A file with such a matrix. */
export function modelFile(): string {
  return join(temporaryDirectory({ "model.safetensors": new Uint8Array(256) }), "model.safetensors");
}
