export * from "./checkpoint/index.js";
export * from "./graph/graph.js";
export * from "./hub/index.js";
export * from "./onnx/index.js";
export * from "./tokenizer/index.js";
