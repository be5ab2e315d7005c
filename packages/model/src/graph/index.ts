export {
  float,
  floatAttribute,
  int,
  intAttribute,
  ints,
  intsAttribute,
  string,
  stringAttribute,
  toInt64,
} from "./attributes.js";
export { checkGraph } from "./check-graph.js";
export { entryGraph } from "./entry-graph.js";
export * from "./graph.js";
export { GraphBuilder } from "./graph-builder.js";
export { keptStates } from "./kept-states.js";
export { mapBranches } from "./map-branches.js";
export { namesOf } from "./names-of.js";
export type { NodeOptions, Value } from "./node-builder.js";
export { readsOf } from "./reads-of.js";
export { renameValues } from "./rename.js";
export { reorderNodes } from "./reorder-nodes.js";
export { isIf, takeBranch } from "./take-branch.js";
export { valueWithSizes, withSizes } from "./with-sizes.js";
export { withoutUnread } from "./without-unread.js";
