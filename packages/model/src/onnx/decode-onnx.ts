import { fromBinary } from "@bufbuild/protobuf";
import { RingrankError } from "@ringrank/errors";
import type { Attribute, Graph, GraphNode, SymbolicDim, ValueInfo, Weight } from "../graph/graph.js";
import { decodeTensor, type ResolveExternal } from "./decode-tensor.js";
import {
  type AttributeProto,
  AttributeProto_AttributeType as AttributeType,
  type GraphProto,
  type ModelProto,
  ModelProtoSchema,
  type NodeProto,
  type ValueInfoProto,
} from "./onnx_pb.js";
import { fromOnnxDataType } from "./onnx-data-types.js";

export interface DecodeOnnxOptions {
  /**
   * Absolute path of the file that a `location` inside the model names; it must refuse one that leaves the
   * model's directory. Without it, external weights have the source `absent`.
   */
  readonly resolveExternal?: ResolveExternal;
}

/**
 * An ONNX model as a graph. What ONNX keeps apart stays apart: `caches` is empty, for ONNX does not say which
 * inputs are state.
 *
 * @throws RR_FILE_FORMAT where the bytes are not an ONNX model, or use what a Graph cannot hold: model-local
 * functions, sparse or string tensors, inputs that are not tensors.
 */
export function decodeOnnx(bytes: Uint8Array, options: DecodeOnnxOptions = {}): Graph {
  const model = parse(bytes);
  if (model.graph === undefined) throw malformed("the model has no graph");
  if (model.functions.length > 0) {
    throw malformed(
      `the model defines its own operator ${model.functions[0]?.name ?? ""}; inline functions when exporting`,
    );
  }
  const opsets = Object.fromEntries(
    model.opsetImport.map(({ domain, version }) => [domain === "ai.onnx" ? "" : domain, Number(version)]),
  );
  return decodeGraph(model.graph, opsets, options.resolveExternal);
}

function parse(bytes: Uint8Array): ModelProto {
  try {
    return fromBinary(ModelProtoSchema, bytes);
  } catch (cause) {
    throw new RingrankError("RR_FILE_FORMAT", `expected an ONNX model, but the bytes are no such protobuf`, {
      cause,
    });
  }
}

function decodeGraph(
  proto: GraphProto,
  opsets: Graph["opsets"],
  resolveExternal: ResolveExternal | undefined,
): Graph {
  if (proto.sparseInitializer.length > 0) throw malformed("sparse initializers are not supported");
  const weights = new Map<string, Weight>();
  for (const tensor of proto.initializer) {
    if (tensor.name === "" || weights.has(tensor.name)) {
      throw malformed(`initializer names must be unique and not empty, got "${tensor.name}" again`);
    }
    weights.set(tensor.name, decodeTensor(tensor, resolveExternal));
  }
  return {
    opsets,
    // Before IR version 4 initializers were listed among the inputs too, as defaults that a caller may override.
    inputs: proto.input.filter(({ name }) => !weights.has(name)).map(decodeValueInfo),
    outputs: proto.output.map(decodeValueInfo),
    nodes: proto.node.map((node) => decodeNode(node, opsets, resolveExternal)),
    weights,
    caches: [],
  };
}

function decodeNode(
  proto: NodeProto,
  opsets: Graph["opsets"],
  resolveExternal: ResolveExternal | undefined,
): GraphNode {
  return {
    opType: proto.opType,
    domain: proto.domain === "ai.onnx" ? "" : proto.domain,
    inputs: proto.input,
    outputs: proto.output,
    attributes: Object.fromEntries(
      proto.attribute.map((attribute) => [
        attribute.name,
        decodeAttribute(attribute, opsets, resolveExternal),
      ]),
    ),
  };
}

function decodeAttribute(
  proto: AttributeProto,
  opsets: Graph["opsets"],
  resolveExternal: ResolveExternal | undefined,
): Attribute {
  switch (proto.type) {
    case AttributeType.INT:
      return { kind: "int", value: toNumber(proto.i, proto.name) };
    case AttributeType.FLOAT:
      return { kind: "float", value: proto.f };
    case AttributeType.STRING:
      return { kind: "string", value: utf8.decode(proto.s) };
    case AttributeType.INTS:
      return { kind: "ints", value: proto.ints.map((value) => toNumber(value, proto.name)) };
    case AttributeType.FLOATS:
      return { kind: "floats", value: proto.floats };
    case AttributeType.STRINGS:
      return { kind: "strings", value: proto.strings.map((text) => utf8.decode(text)) };
    case AttributeType.TENSOR:
      if (proto.t !== undefined) {
        const { type, dims, source } = decodeTensor(proto.t, undefined);
        if (source.kind === "inline") return { kind: "tensor", value: { type, dims, data: source.data } };
      }
      break;
    case AttributeType.GRAPH:
      if (proto.g !== undefined)
        return { kind: "graph", value: decodeGraph(proto.g, opsets, resolveExternal) };
      break;
    default:
  }
  throw malformed(
    `attribute ${proto.name} has no value, or is of type ${proto.type}, which is not supported`,
  );
}

const utf8 = new TextDecoder();

/** Bounds such as Slice's "to the end" (the largest int64) lose their last digits, which says the same. */
function toNumber(value: bigint, name: string): number {
  const number = Number(value);
  if (!Number.isSafeInteger(number) && Math.abs(number) < 2 ** 62) {
    throw malformed(`attribute ${name} is ${value}, beyond 2^53`);
  }
  return number;
}

function decodeValueInfo(proto: ValueInfoProto): ValueInfo {
  const tensor = proto.type?.value.case === "tensorType" ? proto.type.value.value : undefined;
  const type = tensor === undefined ? undefined : fromOnnxDataType(tensor.elemType);
  if (type === undefined) {
    throw malformed(`${proto.name} must be a tensor of numbers, element type ${tensor?.elemType ?? "none"}`);
  }
  const dims = tensor?.shape?.dim.map(({ value }, axis): SymbolicDim => {
    if (value.case === "dimValue") return dimension(value.value, proto.name);
    return value.case === "dimParam" && value.value !== "" ? value.value : `${proto.name}.${axis}`;
  });
  if (dims === undefined) throw malformed(`${proto.name} has no shape; export with shapes`);
  return { name: proto.name, type, dims };
}

function dimension(value: bigint, name: string): number {
  if (value < 0n || value > Number.MAX_SAFE_INTEGER) throw malformed(`${name} has a dimension of ${value}`);
  return Number(value);
}

function malformed(what: string): RingrankError {
  return new RingrankError("RR_FILE_FORMAT", `cannot read the ONNX model: ${what}`);
}
