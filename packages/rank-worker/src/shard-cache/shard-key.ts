import type { RankProgram } from "@ringrank/policy";
import { keptWeights } from "../weight-files/kept-weights.js";
import { contentsHash, entryKey } from "./entry-key.js";
import { filesOf } from "./quantized-program.js";

/**
 * A hash of all of a program that decides the bytes of its weights: the selection of every weight, its type and
 * precision, and how they lie in segments (so, the policy). It takes some 20 ms for a model of a billion parameters.
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

/** The name of the entry that holds a program's weights: what decides their bytes, and the model's files. */
export function shardKey(program: RankProgram, contents: string = shardContents(program)): string {
  const files = [...new Set(Object.values(program.weights).flatMap(({ weight }) => filesOf(weight)))];
  return entryKey({ contents }, files);
}
