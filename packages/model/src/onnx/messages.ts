import {
  bytes,
  defaulted,
  double,
  float,
  int32,
  int64,
  MessageType,
  optional,
  packed,
  repeated,
  string,
  uint64,
} from "./message-type.js";

// The part of ONNX's serialized form that Ringrank reads and writes. Names and numbers are those of
// https://github.com/onnx/onnx/blob/main/onnx/onnx.proto; fields left out are skipped when reading.

export interface ModelProto {
  irVersion: bigint;
  producerName: string;
  graph: GraphProto | undefined;
  opsetImport: OperatorSetIdProto[];
  functions: FunctionProto[];
}

export interface OperatorSetIdProto {
  domain: string;
  version: bigint;
}

export interface FunctionProto {
  name: string;
  input: string[];
  output: string[];
  attribute: string[];
  node: NodeProto[];
  opsetImport: OperatorSetIdProto[];
  domain: string;
  attributeProto: AttributeProto[];
  overload: string;
}

export interface GraphProto {
  node: NodeProto[];
  name: string;
  initializer: TensorProto[];
  input: ValueInfoProto[];
  output: ValueInfoProto[];
  sparseInitializer: SparseTensorProto[];
}

/** Read only to refuse it. */
export interface SparseTensorProto {
  dims: bigint[];
}

export interface NodeProto {
  input: string[];
  output: string[];
  name: string;
  opType: string;
  attribute: AttributeProto[];
  domain: string;
  overload: string;
}

export interface AttributeProto {
  name: string;
  f: number;
  i: bigint;
  s: Uint8Array;
  t: TensorProto | undefined;
  g: GraphProto | undefined;
  floats: number[];
  ints: bigint[];
  strings: Uint8Array[];
  /** {@link attributeTypes} */
  type: number;
  refAttrName: string;
}

export interface ValueInfoProto {
  name: string;
  type: TypeProto | undefined;
}

/** Undefined for other types than tensors. */
export interface TypeProto {
  tensorType: TensorTypeProto | undefined;
}

export interface TensorTypeProto {
  /** {@link dataTypes} */
  elemType: number;
  shape: TensorShapeProto | undefined;
}

export interface TensorShapeProto {
  dim: DimensionProto[];
}

/** One of the two, or neither. */
export interface DimensionProto {
  dimValue: bigint | undefined;
  dimParam: string | undefined;
}

export interface TensorProto {
  dims: bigint[];
  /** {@link dataTypes} */
  dataType: number;
  floatData: number[];
  int32Data: number[];
  int64Data: bigint[];
  name: string;
  rawData: Uint8Array;
  doubleData: number[];
  uint64Data: bigint[];
  externalData: StringStringEntryProto[];
  /** {@link dataLocations} */
  dataLocation: number;
}

export interface StringStringEntryProto {
  key: string;
  value: string;
}

export const attributeTypes = {
  float: 1,
  int: 2,
  string: 3,
  tensor: 4,
  graph: 5,
  floats: 6,
  ints: 7,
  strings: 8,
} as const;

export const dataTypes = {
  FLOAT: 1,
  UINT8: 2,
  INT8: 3,
  UINT16: 4,
  INT16: 5,
  INT32: 6,
  INT64: 7,
  STRING: 8,
  BOOL: 9,
  FLOAT16: 10,
  DOUBLE: 11,
  UINT32: 12,
  UINT64: 13,
  COMPLEX64: 14,
  COMPLEX128: 15,
  BFLOAT16: 16,
  FLOAT8E4M3FN: 17,
  FLOAT8E4M3FNUZ: 18,
  FLOAT8E5M2: 19,
  FLOAT8E5M2FNUZ: 20,
  UINT4: 21,
  INT4: 22,
  FLOAT4E2M1: 23,
} as const;

export const dataLocations = { default: 0, external: 1 } as const;

const none = new Uint8Array();

const stringStringEntryProto = new MessageType<StringStringEntryProto>({
  key: defaulted(1, string, ""),
  value: defaulted(2, string, ""),
});

export const tensorProto = new MessageType<TensorProto>({
  dims: repeated(1, int64),
  dataType: defaulted(2, int32, 0),
  floatData: packed(4, float),
  int32Data: packed(5, int32),
  int64Data: packed(7, int64),
  name: defaulted(8, string, ""),
  rawData: defaulted(9, bytes, none),
  doubleData: packed(10, double),
  uint64Data: packed(11, uint64),
  externalData: repeated(13, stringStringEntryProto),
  dataLocation: defaulted(14, int32, dataLocations.default as number),
});

const sparseTensorProto = new MessageType<SparseTensorProto>({ dims: repeated(3, int64) });

const dimensionProto = new MessageType<DimensionProto>({
  dimValue: optional(1, int64),
  dimParam: optional(2, string),
});

const tensorShapeProto = new MessageType<TensorShapeProto>({ dim: repeated(1, dimensionProto) });

const tensorTypeProto = new MessageType<TensorTypeProto>({
  elemType: defaulted(1, int32, 0),
  shape: optional(2, tensorShapeProto),
});

const typeProto = new MessageType<TypeProto>({ tensorType: optional(1, tensorTypeProto) });

const valueInfoProto = new MessageType<ValueInfoProto>({
  name: defaulted(1, string, ""),
  type: optional(2, typeProto),
});

const attributeProto = new MessageType<AttributeProto>({
  name: defaulted(1, string, ""),
  f: defaulted(2, float, 0),
  i: defaulted(3, int64, 0n),
  s: defaulted(4, bytes, none),
  t: optional(5, tensorProto),
  g: optional(6, () => graphProto),
  floats: repeated(7, float),
  ints: repeated(8, int64),
  strings: repeated(9, bytes),
  type: defaulted(20, int32, 0),
  refAttrName: defaulted(21, string, ""),
});

const nodeProto = new MessageType<NodeProto>({
  input: repeated(1, string),
  output: repeated(2, string),
  name: defaulted(3, string, ""),
  opType: defaulted(4, string, ""),
  attribute: repeated(5, attributeProto),
  domain: defaulted(7, string, ""),
  overload: defaulted(8, string, ""),
});

const graphProto: MessageType<GraphProto> = new MessageType<GraphProto>({
  node: repeated(1, nodeProto),
  name: defaulted(2, string, ""),
  initializer: repeated(5, tensorProto),
  input: repeated(11, valueInfoProto),
  output: repeated(12, valueInfoProto),
  sparseInitializer: repeated(15, sparseTensorProto),
});

const operatorSetIdProto = new MessageType<OperatorSetIdProto>({
  domain: defaulted(1, string, ""),
  version: defaulted(2, int64, 0n),
});

const functionProto = new MessageType<FunctionProto>({
  name: defaulted(1, string, ""),
  input: repeated(4, string),
  output: repeated(5, string),
  attribute: repeated(6, string),
  node: repeated(7, nodeProto),
  opsetImport: repeated(9, operatorSetIdProto),
  domain: defaulted(10, string, ""),
  attributeProto: repeated(11, attributeProto),
  overload: defaulted(13, string, ""),
});

export const modelProto = new MessageType<ModelProto>({
  irVersion: defaulted(1, int64, 0n),
  producerName: defaulted(2, string, ""),
  graph: optional(7, graphProto),
  opsetImport: repeated(8, operatorSetIdProto),
  functions: repeated(25, functionProto),
});
