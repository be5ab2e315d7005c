import type { DataType } from "../graph/graph.js";

/**
 * Element types of safetensors files: their size in bits, our name for them if we have one, and whether weights of them
 * can be used. (https://github.com/huggingface/safetensors, `Dtype`.)
 */
interface StoredType {
  readonly bits: number;
  readonly type?: DataType;
  readonly usable?: true;
}

export const storedTypes: ReadonlyMap<string, StoredType> = new Map([
  ["F32", { bits: 32, type: "float32", usable: true }],
  ["F16", { bits: 16, type: "float16", usable: true }],
  ["BF16", { bits: 16, type: "bfloat16", usable: true }],
  ["I64", { bits: 64, type: "int64", usable: true }],
  ["I32", { bits: 32, type: "int32", usable: true }],
  ["U8", { bits: 8, type: "uint8", usable: true }],
  ["BOOL", { bits: 8, type: "bool" }],
  ["F64", { bits: 64, type: "float64" }],
  ["I16", { bits: 16, type: "int16" }],
  ["I8", { bits: 8, type: "int8" }],
  ["U64", { bits: 64, type: "uint64" }],
  ["U32", { bits: 32, type: "uint32" }],
  ["U16", { bits: 16, type: "uint16" }],
  ["C64", { bits: 64 }],
  ["F8_E4M3", { bits: 8 }],
  ["F8_E5M2", { bits: 8 }],
  ["F8_E8M0", { bits: 8 }],
  ["F8_E4M3FNUZ", { bits: 8 }],
  ["F8_E5M2FNUZ", { bits: 8 }],
  ["F6_E2M3", { bits: 6 }],
  ["F6_E3M2", { bits: 6 }],
  ["F4", { bits: 4 }],
] as const);
