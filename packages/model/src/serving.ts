/**
 * What it takes to serve a model that other threads open: where it lies, how its inputs and outputs are called, and
 * whether it takes texts and conversations. Without the architectures, the files of ONNX and the libraries that read
 * texts, which take long to import.
 */
export { type ExportDtype, exportDtypes } from "./exports/export-files.js";
export { type FileIdentity, fileIdentity, requireUnchanged } from "./files/file-identity.js";
export { interfaceNames } from "./graph/graph.js";
export { resolveModel } from "./hub/index.js";
export { hasChatTemplate } from "./tokenizer/find-template.js";
export { hasTokenizer } from "./tokenizer/has-tokenizer.js";
