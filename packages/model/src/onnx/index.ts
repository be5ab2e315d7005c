export { type DecodeOnnxOptions, decodeOnnx } from "./decode-onnx.js";
export { type EncodeOnnxOptions, type ExternalLocation, encodeOnnx } from "./encode-onnx.js";
export { fromOnnxDataType, toOnnxDataType } from "./onnx-data-types.js";
export { openOnnx, openOnnxFiles } from "./open-onnx.js";
export { writeOnnx } from "./write-onnx.js";
