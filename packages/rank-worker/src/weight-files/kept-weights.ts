import type { RankProgram } from "@ringrank/policy";

/**
 * Names of the weights that stay in the rank's own memory, each once: those fed to sessions, whole to several segments
 * or by the expert to one, and those that the rank adds, normalizes and multiplies with.
 */
export function keptWeights({ segments, entries }: RankProgram): string[] {
  const ofSteps = Object.values(entries).flatMap(({ steps }) =>
    steps.flatMap((step) => {
      if (step.kind === "routed") return step.stacks;
      if (step.kind === "allReduce") return step.added?.rows ?? [];
      if (step.kind === "product")
        return step.outputs.flatMap(({ matrices }) =>
          matrices.flatMap(({ values, scales, bias }) => [
            values,
            scales,
            ...(bias === undefined ? [] : [bias]),
          ]),
        );
      if (step.kind !== "normalize") return [];
      return [...(step.added?.rows ?? []), step.scale, ...(step.bias === undefined ? [] : [step.bias])];
    }),
  );
  return [...new Set([...segments.flatMap(({ sharedWeights }) => sharedWeights), ...ofSteps])];
}
