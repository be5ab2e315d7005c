import { dirname } from "node:path";
import type { Weight } from "@ringrank/model";
import type { RankProgram } from "@ringrank/policy";

/** Bits of the weights that are quantized as they are read, ascending; empty where none is. */
export function bitsOf(...programs: readonly RankProgram[]): number[] {
  const weights = programs.flatMap((program) => Object.values(program.weights));
  const bits = weights.flatMap(({ weight: { source } }) =>
    source.kind === "quantized" ? [source.bits] : [],
  );
  return [...new Set(bits)].sort((a, b) => a - b);
}

/** The directory that the weights are read from. */
export function modelOf({ weights }: RankProgram): string {
  const [file] = Object.values(weights).flatMap(({ weight }) => filesOf(weight));
  return file === undefined ? "" : dirname(file);
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
