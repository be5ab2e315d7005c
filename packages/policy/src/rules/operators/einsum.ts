import { stringAttribute } from "@ringrank/model";
import { type Dim, sizeOf } from "../../factors/factor.js";
import { isOne } from "../../shapes/size-pair.js";
import { broadcast } from "../broadcast.js";
import type { Rule } from "../rule.js";
import { wholeEverything } from "../whole.js";

/**
 * `ab,bc->ac`: one dimension per letter; letters absent from the result are contracted. An ellipsis stands for
 * broadcast axes.
 */
export const einsum: Rule = {
  propagate(operator, factors) {
    const equation = stringAttribute(operator.node, "equation", "").replaceAll(" ", "");
    const [left = "", right] = equation.split("->");
    if (right === undefined) return wholeEverything(operator, factors, "an implicit equation");
    const letters = new Map<string, Dim>();
    const broadcastAxes: Dim[][] = [];
    left.split(",").forEach((term, slot) => {
      const [before, dots, after] = axesOf(term, factors.input(slot));
      if (dots.length > 0) broadcastAxes.push(dots);
      for (const [letter, mine] of [...before, ...after]) {
        const known = letters.get(letter);
        if (known === undefined || isOne(sizeOf(known))) letters.set(letter, mine);
        else if (!isOne(sizeOf(mine))) factors.unify(known, mine);
      }
    });
    for (const [letter, dim] of letters) if (!right.includes(letter)) factors.contract(dim);
    const dots = broadcast(broadcastAxes, factors);
    const [before = "", after] = right.split("...");
    const named = (text: string): Dim[] => [...text].map((letter) => letters.get(letter)!);
    return [[...named(before), ...(after === undefined ? [] : [...dots, ...named(after)])]];
  },
  linearity: { kind: "one", slots: [0, 1] },
};

type Lettered = readonly (readonly [letter: string, dim: Dim])[];

/** The dimensions of a term by letter, and those of its ellipsis. */
function axesOf(term: string, dims: readonly Dim[]): [before: Lettered, dots: Dim[], after: Lettered] {
  const [before = "", after = ""] = term.split("...");
  const from = dims.length - after.length;
  const name = (text: string, start: number): Lettered =>
    [...text].map((letter, index) => [letter, dims[start + index]!]);
  return [name(before, 0), dims.slice(before.length, from), name(after, from)];
}
