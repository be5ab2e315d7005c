import { type Dim, freshDim, sizeOf } from "../factors/factor.js";
import { quotient, type SizePair } from "../shapes/size-pair.js";
import { axesOfOutput, relateAxes } from "./axes.js";
import type { Operator, Propagation } from "./rule.js";
import { wholeDim } from "./whole.js";

const attends = "attended over";

/** The axes of a fused attention's operands. Those that are not known dimensions are needed whole. */
export class AttentionAxes {
  readonly #operator: Operator;
  readonly #factors: Propagation;

  constructor(operator: Operator, factors: Propagation) {
    this.#operator = operator;
    this.#factors = factors;
  }

  /** Key and value heads, and the number of query heads that share each (1 by default): what the operator cuts. */
  heads(keys: number, group = 1): [keys: Dim, group: Dim] {
    const heads: [Dim, Dim] = [freshDim([keys, keys]), freshDim([group, group])];
    this.#factors.cut(heads);
    return heads;
  }

  /** Lanes of a head, which ranks must not split. */
  lanes(size: SizePair): Dim {
    return wholeDim(size, this.#factors, "scores sum over the lanes of a head");
  }

  /** Those of an input with heads as an axis, `[batch, heads, sequence, lanes]`, or joined with their lanes. */
  lanesOf(slot: number, heads: Dim): Dim {
    const { dims } = this.#operator.inputs[slot]!;
    return this.lanes(dims.length === 4 ? dims[3]! : (quotient(dims[2]!, sizeOf(heads)) ?? [1, 1]));
  }

  /** @param known dimensions by axis */
  relate(slot: number, known: Readonly<Record<number, Dim>>): void {
    relateAxes(slot, known, attends, this.#operator, this.#factors);
  }

  /** The addends of the scores, right-aligned with `[batch, heads, sequence, kept]`. */
  relateScores(slot: number, heads: Dim): void {
    const rank = this.#operator.inputs[slot]?.dims.length ?? 0;
    this.relate(slot, rank < 3 ? {} : { [rank - 3]: heads });
  }

  /** Inputs without anything that depends on the head. */
  keepWhole(slots: readonly number[]): void {
    for (const slot of slots) this.relate(slot, {});
  }

  /** @param known dimensions by axis */
  output(slot: number, known: Readonly<Record<number, Dim>>): Dim[] {
    return axesOfOutput(slot, known, attends, this.#operator, this.#factors);
  }
}
