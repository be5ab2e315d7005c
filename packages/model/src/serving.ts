/**
 * What is needed to serve a model that other threads open: where it is, the names of its inputs and outputs, and
 * whether it takes texts and conversations. Without the architectures, the ONNX code and the text libraries, which take
 * long to import.
 */

export { hasChatTemplate } from "./chat-templates/find-template.js";
export { type ExportDtype, exportDtypes } from "./exports/export-files.js";
export { type FileIdentity, fileIdentity, requireUnchanged } from "./files/file-identity.js";
export { homeDirectory } from "./files/home-directory.js";
export { interfaceNames } from "./graph/graph.js";
export { resolveModel } from "./hub/index.js";
export { poolingModes } from "./sentence-embeddings/recipe.js";
export { hasTokenizer } from "./tokenizer/has-tokenizer.js";
