import type { RoutedStep as PlannedRouted } from "@ringrank/policy";
import type { Tensor } from "../tensors/tensor.js";
import { compileSteps, type PlacedStep } from "./compile-entry.js";
import type { EntryScope } from "./entry-scope.js";
import { ExpertScope, type ExpertTurn } from "./expert-scope.js";

/** The experts of one layer, ready to run over a table of their own. */
export interface CompiledExperts {
  readonly steps: readonly PlacedStep[];
  readonly turn: ExpertTurn;
  readonly count: number;
  /** Size of the table. */
  readonly values: number;
  /** Index of the expert's rows. */
  readonly rows: number;
  /** The index of each stack, and its parts by expert. */
  readonly stacks: readonly { readonly index: number; readonly parts: readonly Tensor[] }[];
  /** Index of the result. */
  readonly perExpert: number;
}

/** @throws RR_POLICY if the step names a stack that the rank does not have */
export function compileExperts({ rows, expert }: PlannedRouted, outer: EntryScope): CompiledExperts {
  const { steps, stacks, perExpert } = expert;
  const scope = new ExpertScope({ rows, stacks }, outer);
  // The caller of the steps owns these.
  const kept = [rows, ...stacks, perExpert].map((name) => ({ name }));
  const compiled = compileSteps(scope, { steps, outputs: kept });
  const parts = stacks.map((name) => ({ index: scope.use(name), parts: scope.partsOf(name) }));
  return {
    steps: compiled,
    turn: scope.turn,
    count: parts[0]?.parts.length ?? 0,
    values: scope.indices.size,
    rows: scope.use(rows),
    stacks: parts,
    perExpert: scope.use(perExpert),
  };
}
