import type { RankProgram, Step } from "@ringrank/policy";

/** Every step of a program, including those of its experts. */
export function allSteps(entries: RankProgram["entries"]): Step[] {
  const steps = Object.values(entries).flatMap((entry) => entry.steps);
  return [...steps, ...steps.flatMap((step) => (step.kind === "routed" ? step.expert.steps : []))];
}
