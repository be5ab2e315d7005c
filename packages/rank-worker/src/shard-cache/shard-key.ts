import type { RankProgram } from "@ringrank/policy";
import { keptWeights } from "../loading/kept-weights.js";
import { contentsHash, entryKey } from "./entry-key.js";
import { filesOf } from "./quantized-program.js";

/**
 * A hash of everything in a program that determines the bytes of its weights: the selection, type and precision of
 * every weight, and their layout in segments (and so, the policy). It takes about 20 ms for a model with a billion
 * parameters.
 */
export function shardContents(program: RankProgram): string {
  const { rank, worldSize, segments, weights } = program;
  const { matrices, others } = keptWeights(program);
  return contentsHash({
    rank,
    worldSize,
    segments: segments.map(({ initializers }) => initializers),
    kept: [...matrices.flat(), ...others],
    weights,
  });
}

/** The name of the entry with a program's weights: a hash of what determines their bytes, and of the model's files. */
export function shardKey(program: RankProgram, contents: string = shardContents(program)): string {
  const files = [...new Set(Object.values(program.weights).flatMap(({ weight }) => filesOf(weight)))];
  return entryKey({ contents }, files);
}
