export * from "./graph/graph.js";
