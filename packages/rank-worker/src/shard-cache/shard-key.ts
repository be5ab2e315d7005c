import type { Weight } from "@ringrank/model";
import type { RankProgram } from "@ringrank/policy";
import { keptWeights } from "../weight-files/kept-weights.js";
import { entryKey } from "./entry-key.js";

/**
 * The name of the entry that holds a program's weights. What decides their bytes, beside the model's files, is the
 * selection of every weight, its type and precision, and how they lie in segments (so, the policy).
 */
export function shardKey(program: RankProgram): string {
  const { rank, worldSize, segments, weights } = program;
  const files = [...new Set(Object.values(weights).flatMap(({ weight }) => filesOf(weight)))];
  const contents = {
    rank,
    worldSize,
    segments: segments.map(({ initializers }) => initializers),
    kept: keptWeights(program),
    weights,
  };
  return entryKey(contents, files);
}

/** Files a weight is read from. */
export function filesOf({ source }: Weight): string[] {
  switch (source.kind) {
    case "file":
      return [source.file];
    case "stack":
      return source.parts.map(({ file }) => file);
    case "quantized":
      return source.matrix.source.kind === "file" ? [source.matrix.source.file] : [];
    default:
      return [];
  }
}
