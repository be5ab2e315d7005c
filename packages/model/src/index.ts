export * from "./graph/graph.js";
export * from "./checkpoint/index.js";
