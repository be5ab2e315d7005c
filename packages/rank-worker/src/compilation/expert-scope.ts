import { RingrankError } from "@ringrank/errors";
import type { ProductStep } from "@ringrank/policy";
import type { CurrentExpert } from "../execution/steps/compiled-experts.js";
import { ExpertMultiplier } from "../products/expert-multiplier.js";
import type { ProductWeights } from "../products/matrix.js";
import type { Multiplier } from "../products/multiplier.js";
import type { Tensor } from "../tensors/tensor.js";
import { EntryScope } from "./entry-scope.js";

interface ExpertNames {
  /** A value: the rows of an expert. */
  readonly rows: string;
  /** Weights that have a part for each expert. The part is a value of the same name. */
  readonly stacks: readonly string[];
}

/** The names that the steps of a layer's experts use. These are compiled once, and run for one expert after another. */
export class ExpertScope extends EntryScope {
  readonly current: CurrentExpert = { expert: 0 };
  readonly #stacks: ReadonlySet<string>;

  constructor({ rows, stacks }: ExpertNames, { entry, context, bySegment }: EntryScope) {
    const inputs = [rows, ...stacks].map((name) => ({ name }));
    super(entry, { inputs, outputs: [] }, context, bySegment);
    this.#stacks = new Set(stacks);
  }

  /** Multiplies by the matrices of the expert that is computing. */
  override multiplier(
    step: ProductStep,
    make: (weightOf: ProductWeights["weightOf"]) => Multiplier,
  ): Multiplier {
    return new ExpertMultiplier(step, this.current, (expert) => make((name) => this.partsOf(name)[expert]!));
  }

  /** By expert. @throws RR_POLICY if there is no such stack */
  partsOf(name: string): readonly Tensor[] {
    const parts = this.#stacks.has(name) ? this.context.expertParts.of(name) : undefined;
    if (parts !== undefined) return parts;
    throw new RingrankError(
      "RR_POLICY",
      `entry "${this.entry}": experts need the stack "${name}", which is not there`,
    );
  }
}
