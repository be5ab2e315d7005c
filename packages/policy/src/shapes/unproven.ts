import { type GraphNode, isIf, takeBranch } from "@ringrank/model";
import type { Branches } from "./evaluate.js";
import type { Evaluated } from "./evaluated.js";
import { doubtfulContents, sizesPassThrough } from "./unproven-contents.js";
import { doubtfulDims } from "./unproven-dims.js";
import { type Both, isSame, type Marks, none, type Unproven, ValuesAtBoth } from "./values-at-both.js";

/**
 * Finds values that are the same at two settings, but not in every call: `sequence > 2`, `Min(sequence, 4)`, the first
 * four of any number of rows. Sums and products of sizes that are equal at two settings are equal at all; results of
 * comparing, rounding or clipping may not be. Marks start at such results, and are propagated with elements and sizes.
 *
 * @param nodes in an order in which they can run
 * @param first every value at one setting, and `second` at the other
 * @returns by name: values with marks
 */
export function findUnproven(
  nodes: readonly GraphNode[],
  first: ReadonlyMap<string, Evaluated>,
  second: ReadonlyMap<string, Evaluated>,
  branches: Branches,
): ReadonlyMap<string, Unproven> {
  const values = new ValuesAtBoth(first, second);
  visit(nodes, values, branches);
  return values.unproven;
}

function visit(nodes: readonly GraphNode[], values: ValuesAtBoth, branches: Branches): void {
  nodes.forEach((node, index) => {
    if (isIf(node)) {
      visitIf(node, values, branches);
      return;
    }
    if (sizesPassThrough(node, values)) for (const name of node.outputs) values.sizes.add(name);
    const dims = doubtfulDims(node, index, values);
    const contents = doubtfulContents(node, index, values);
    node.outputs.forEach((name, slot) => {
      const both = values.get(name);
      if (both !== undefined) mark(name, both, dims[slot] ?? none, contents[slot], values);
    });
  });
}

/** The outputs of an `If` are only proven if the taken branch is proven, or everything that it reads is. */
function visitIf(node: GraphNode, values: ValuesAtBoth, branches: Branches): void {
  const [condition = ""] = node.inputs;
  const decided = branches === "taken" ? values.get(condition)?.second.contents?.[0] : undefined;
  const taken =
    decided === undefined ? undefined : takeBranch(node, decided !== 0 ? "then_branch" : "else_branch");
  if (taken !== undefined) visit(taken.nodes, values, branches);
  const doubted =
    taken === undefined ? node.inputs.some((name) => values.unproven.has(name)) : values.varies(condition);
  if (!doubted) return;
  for (const name of node.outputs) {
    const both = values.get(name);
    if (both === undefined) continue;
    const { dims, contents } = both.second;
    mark(
      name,
      both,
      dims.map(() => 1),
      contents?.map(() => 1),
      values,
    );
  }
}

/** Sizes that differ between the settings need no mark: they are never considered static. */
function mark(
  name: string,
  { first, second }: Both,
  doubtful: Marks,
  contents: Marks | undefined,
  values: ValuesAtBoth,
): void {
  const dims = doubtful.map((marked, axis) => (isSame(first.dims[axis]!, second.dims[axis]!) ? marked : 0));
  if (dims.includes(1) || contents?.includes(1)) values.unproven.set(name, { dims, contents });
}
