export * from "./architectures/index.js";
export * from "./checkpoint/index.js";
export * from "./exports/index.js";
export * from "./graph/index.js";
export * from "./hub/index.js";
export * from "./onnx/index.js";
export type { ChatMessage } from "./tokenizer/chat-template.js";
