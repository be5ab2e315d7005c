export { floatAttribute, intAttribute, intsAttribute, toInt64 } from "./attributes.js";
export { entryGraph } from "./entry-graph.js";
export * from "./graph.js";
export { GraphBuilder } from "./graph-builder.js";
export type { NodeOptions, Value } from "./node-builder.js";
export { renameValues } from "./rename.js";
export { isIf, takeBranch } from "./take-branch.js";
export { checkGraph, readsOf, reorderNodes, withoutUnread } from "./topology.js";
