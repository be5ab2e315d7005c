export {
  type BuiltGraph,
  buildGraph,
  type ContextLimits,
  contextLimits,
  modelTypes,
} from "./build-graph.js";
