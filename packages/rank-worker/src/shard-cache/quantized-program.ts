import { dirname } from "node:path";
import type { Weight, WeightSource } from "@ringrank/model";
import type { RankProgram } from "@ringrank/policy";

/** Bits of the weights that are quantized while they are read, ascending; empty if none is. */
export function bitsOf(...programs: readonly RankProgram[]): number[] {
  const weights = programs.flatMap((program) => Object.values(program.weights));
  const bits = weights.flatMap(({ weight: { source } }) => {
    const first = source.kind === "stack" ? source.parts[0] : source;
    return first?.kind === "quantized" ? [first.bits] : [];
  });
  return [...new Set(bits)].sort((a, b) => a - b);
}

/** The directory from which the weights are read. */
export function modelOf({ weights }: RankProgram): string {
  const [file] = Object.values(weights).flatMap(({ weight }) => filesOf(weight));
  return file === undefined ? "" : dirname(file);
}

/** The files from which a weight is read. */
export function filesOf({ source }: Weight): string[] {
  return filesOfSource(source);
}

function filesOfSource(source: WeightSource): string[] {
  switch (source.kind) {
    case "file":
      return [source.file];
    case "stack":
      return source.parts.flatMap(filesOfSource);
    case "quantized":
      return filesOfSource(source.matrix.source);
    default:
      return [];
  }
}
