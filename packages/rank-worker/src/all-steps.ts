import type { RankProgram, Step } from "@ringrank/policy";

/** Every step of a program, those of its experts included. */
export function allSteps(entries: RankProgram["entries"]): Step[] {
  const steps = Object.values(entries).flatMap((entry) => entry.steps);
  return [...steps, ...steps.flatMap((step) => (step.kind === "routed" ? step.expert.steps : []))];
}
