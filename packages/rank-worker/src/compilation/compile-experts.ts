import type { RoutedStep } from "@ringrank/policy";
import type { CompiledExperts } from "../execution/steps/compiled-experts.js";
import { compileSteps } from "./compile-entry.js";
import type { EntryScope } from "./entry-scope.js";
import { ExpertScope } from "./expert-scope.js";

/** @throws RR_POLICY if the step names a stack that the rank does not have */
export function compileExperts({ rows, expert }: RoutedStep, outer: EntryScope): CompiledExperts {
  const { steps, stacks, perExpert } = expert;
  const scope = new ExpertScope({ rows, stacks }, outer);
  // The caller of the steps owns these.
  const kept = [rows, ...stacks, perExpert].map((name) => ({ name }));
  const compiled = compileSteps(scope, { steps, outputs: kept });
  const parts = stacks.map((name) => ({ index: scope.use(name), parts: scope.partsOf(name) }));
  return {
    steps: compiled,
    current: scope.current,
    count: parts[0]?.parts.length ?? 0,
    values: scope.indices.size,
    rows: scope.use(rows),
    stacks: parts,
    perExpert: scope.use(perExpert),
  };
}
