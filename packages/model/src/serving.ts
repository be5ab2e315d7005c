/**
 * What it takes to serve a model that another thread opens: where it lies, how its inputs and outputs are called, and
 * its tokenizer. Without the architectures and the files of ONNX, which take long to import.
 */
export { type ExportDtype, exportDtypes } from "./exports/export-files.js";
export { interfaceNames } from "./graph/graph.js";
export { resolveModel } from "./hub/index.js";
export * from "./tokenizer/index.js";
