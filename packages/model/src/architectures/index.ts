export { type BuiltGraph, buildGraph, contextLimit } from "./build-graph.js";
