import { RingrankError } from "@ringrank/errors";
import type { DataType, TensorData, Weight, WeightSource } from "../graph/graph.js";
import { allocate, byteCount, bytesOf, bytesPerElement } from "../weights/element-types.js";
import { type TensorProto, TensorProto_DataLocation, TensorProto_DataType } from "./onnx_pb.js";
import { fromOnnxDataType } from "./onnx-data-types.js";

/** A file of external data. */
export interface ExternalFile {
  /** Absolute. */
  readonly path: string;
  /** Its size in bytes. */
  readonly size: number;
}

/** Returns the file for an external tensor's `location`. */
export type ResolveExternal = (location: string) => ExternalFile;

/**
 * An ONNX tensor as a weight, with its elements inline or in a file. Its shape is checked against the available bytes
 * before anything is allocated.
 *
 * @param name its name in errors
 * @throws RR_FILE_FORMAT
 */
export function decodeTensor(
  proto: TensorProto,
  resolveExternal: ResolveExternal | undefined,
  name = proto.name,
): Weight {
  const type = fromOnnxDataType(proto.dataType);
  if (type === undefined) {
    const named = TensorProto_DataType[proto.dataType] ?? proto.dataType;
    throw malformed(
      name,
      `element type ${named} is not supported; export it in floating point, or quantized in 8 bits or as MatMulNBits`,
    );
  }
  const dims = proto.dims.map((dim) => {
    if (dim < 0n || dim > Number.MAX_SAFE_INTEGER) throw malformed(name, `a dimension is ${dim}`);
    return Number(dim);
  });
  const bytes = byteCount(type, dims);
  if (!Number.isSafeInteger(bytes)) throw malformed(name, `the shape [${dims.join(", ")}] overflows`);
  const source: WeightSource =
    proto.dataLocation === TensorProto_DataLocation.EXTERNAL
      ? externalSource(proto, name, type, bytes, resolveExternal)
      : { kind: "inline", data: inlineData(proto, name, type, bytes) };
  return { type, dims, source };
}

function externalSource(
  proto: TensorProto,
  name: string,
  type: DataType,
  bytes: number,
  resolveExternal: ResolveExternal | undefined,
): WeightSource {
  const entries = new Map(proto.externalData.map(({ key, value }) => [key, value]));
  if (entries.size < proto.externalData.length)
    throw malformed(name, "external data has two entries with the same key");
  const location = entries.get("location");
  if (location === undefined) throw malformed(name, "external data has no location");
  const offset = parseBytes(name, entries.get("offset") ?? "0");
  const stored = entries.get("length");
  if (stored !== undefined && parseBytes(name, stored) !== bytes) {
    throw malformed(name, `external data has ${stored} bytes, but its shape needs ${bytes}`);
  }
  if (resolveExternal === undefined) return { kind: "absent" };
  const { path, size } = resolveExternal(location);
  if (offset > size - bytes) {
    throw malformed(
      name,
      `its ${bytes} bytes at offset ${offset} extend beyond the end of ${path}, which has ${size}`,
    );
  }
  return { kind: "file", file: path, offset, storedAs: type };
}

function parseBytes(name: string, text: string): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(value)) {
    throw malformed(name, `expected a number of bytes, got "${text}"`);
  }
  return value;
}

/** ONNX stores elements as raw bytes, or in the repeated field for the element type. */
function inlineData(proto: TensorProto, name: string, type: DataType, bytes: number): TensorData {
  if (proto.rawData.byteLength > 0) {
    if (proto.rawData.byteLength !== bytes) {
      throw malformed(name, `raw data has ${proto.rawData.byteLength} bytes, but its shape needs ${bytes}`);
    }
    // Copied, because a view would keep the whole file alive, and may start at an odd offset.
    const data = allocate(type, bytes / bytesPerElement[type]);
    bytesOf(data).set(proto.rawData);
    return data;
  }
  const data = typedData(proto, type);
  if (data.byteLength !== bytes) {
    throw malformed(
      name,
      `it has ${data.length} elements, but its shape needs ${bytes / bytesPerElement[type]}`,
    );
  }
  return data;
}

function typedData(proto: TensorProto, type: DataType): TensorData {
  switch (type) {
    case "float32":
      return Float32Array.from(proto.floatData);
    case "float64":
      return Float64Array.from(proto.doubleData);
    case "int64":
      return BigInt64Array.from(proto.int64Data);
    case "uint64":
      return BigUint64Array.from(proto.uint64Data);
    case "uint32":
      return Uint32Array.from(proto.uint64Data, Number);
    case "int32":
      return Int32Array.from(proto.int32Data);
    case "int16":
      return Int16Array.from(proto.int32Data);
    case "int8":
      return Int8Array.from(proto.int32Data);
    case "uint16":
    case "float16":
    case "bfloat16":
      return Uint16Array.from(proto.int32Data);
    case "uint8":
    case "bool":
      return Uint8Array.from(proto.int32Data);
  }
}

function malformed(name: string, what: string): RingrankError {
  return new RingrankError("RR_FILE_FORMAT", `cannot read the ONNX tensor ${name}: ${what}`);
}
