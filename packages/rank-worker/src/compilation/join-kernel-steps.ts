import type { PlacedStep } from "../execution/compiled-entry.js";
import { CompiledKernelSteps } from "../execution/steps/compiled-kernel-steps.js";
import { isKernelStep } from "../execution/steps/kernel-step.js";
import type { RankKernels } from "../kernels/rank-kernels.js";

/** Makes one step of kernel steps that follow one another. */
export function joinKernelSteps(
  steps: readonly PlacedStep[],
  kernels: RankKernels | undefined,
): readonly PlacedStep[] {
  if (kernels === undefined) return steps;
  const joined: PlacedStep[] = [];
  let group: PlacedStep[] = [];
  const endGroup = (): void => {
    const last = group.at(-1);
    if (last !== undefined) joined.push({ ...last, step: new CompiledKernelSteps(group, kernels), drop: [] });
    group = [];
  };
  for (const placed of steps) {
    if (isKernelStep(placed.step)) {
      group.push(placed);
      continue;
    }
    endGroup();
    joined.push(placed);
  }
  endGroup();
  return joined;
}
