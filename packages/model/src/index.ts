export { type BuiltGraph, buildGraph, type ContextLimits } from "./architectures/index.js";
export type { ChatMessage, TemplateVariables } from "./chat-templates/chat-template.js";
export {
  type Checkpoint,
  type CheckpointFile,
  ConfigReader,
  checkPayload,
  type GenerationConfig,
  type GenerationDefaults,
  type JsonObject,
  type JsonValue,
  openCheckpoint,
  readGenerationConfig,
  type StoredTensor,
} from "./checkpoint/index.js";
export * from "./exports/index.js";
export { type FileIdentity, fileIdentity, requireUnchanged } from "./files/file-identity.js";
export * from "./graph/index.js";
export { resolveModel } from "./hub/index.js";
export * from "./onnx/index.js";
export * from "./sentence-embeddings/index.js";
