export { type BuiltGraph, buildGraph, contextLimit, modelTypes } from "./build-graph.js";
