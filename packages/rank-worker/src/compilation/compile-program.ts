import type { RankProgram, Step } from "@ringrank/policy";
import { allSteps } from "../all-steps.js";
import { AttentionKernel } from "../attention/attention-kernel.js";
import type { CompiledEntry } from "../execution/compiled-entry.js";
import type { LoadedProgram } from "../loading/load-program.js";
import { StreamedScales } from "../products/quantized/streamed-scales.js";
import { rowsInMemory } from "../tensors/weight-rows.js";
import { compileEntry } from "./compile-entry.js";
import { ExpertParts } from "./expert-parts.js";

/**
 * The entries of a loaded program, by name.
 *
 * @param threads of each session
 * @throws RR_POLICY if a step uses a value or weight that nothing defines
 */
export function compileProgram(
  program: RankProgram,
  loaded: LoadedProgram,
  threads: number,
): ReadonlyMap<string, CompiledEntry> {
  const { sessions, keptWeights, rowFiles, home } = loaded;
  const { own: kernels, kernelsOf } = home;
  const attends = allSteps(program.entries).some(isAttention);
  // A cache that no kernel reads can be in ordinary memory.
  const attention = attends && kernels !== undefined ? new AttentionKernel(kernels, threads) : undefined;
  const { segments } = program;
  const fed = segments.flatMap(({ sharedWeights }) => sharedWeights);
  const context = {
    segments,
    sessions,
    keptWeights,
    rowsOf: (name: string) => {
      const kept = keptWeights.get(name);
      return kept === undefined ? rowFiles.of(name) : rowsInMemory(kept);
    },
    kernels,
    kernelsOf,
    streamedScales: new StreamedScales(fed.flatMap((name) => keptWeights.get(name) ?? [])),
    expertParts: new ExpertParts((name) => keptWeights.get(name)),
    attention,
  };
  const entries = Object.entries(program.entries);
  return new Map(entries.map(([name, entry]) => [name, compileEntry(name, entry, context)]));
}

/** Whether a program has steps for which the rank has kernels. */
export function needsKernels(program: RankProgram): boolean {
  return allSteps(program.entries).some(
    (step) =>
      isAttention(step) ||
      step.kind === "product" ||
      step.kind === "normalize" ||
      (step.kind === "allReduce" && step.added !== undefined),
  );
}

function isAttention(step: Step): boolean {
  return step.kind === "run" && step.attention !== undefined;
}
