import { create, type MessageInitShape, toBinary } from "@bufbuild/protobuf";

import { toInt64 } from "../graph/attributes.js";
import type {
  Attribute,
  Branch,
  ConstantTensor,
  Graph,
  GraphNode,
  ValueInfo,
  Weight,
} from "../graph/graph.js";
import { byteCount, bytesOf } from "../weights/element-types.js";
import {
  type AttributeProtoSchema,
  AttributeProto_AttributeType as AttributeType,
  type GraphProtoSchema,
  ModelProtoSchema,
  type NodeProtoSchema,
  TensorProto_DataLocation,
  type TensorProtoSchema,
  type ValueInfoProtoSchema,
} from "./onnx_pb.js";
import { toOnnxDataType } from "./onnx-data-types.js";

/** Version of the ONNX file format that introduced opset 23 (ONNX 1.18). */
const irVersion = 10n;

/** Where the bytes of a weight are, relative to the ONNX file. */
export interface ExternalLocation {
  readonly location: string;
  /** Byte offset of the first element. */
  readonly offset: number;
}

export interface EncodeOnnxOptions {
  /**
   * Returns the location of a weight that is not inline. Default: a file with the weight's own name, from its first
   * byte on, which suits onnxruntime's `externalData: [{ path: name, data }]`.
   */
  readonly locate?: ((name: string, weight: Weight) => ExternalLocation) | undefined;
}

/**
 * A graph as an ONNX model (https://onnx.ai/onnx/intro/concepts.html). Weights with an `inline` source become raw data,
 * all others external data, with the type and shape that the graph gives them. ONNX has no `caches`: their values are
 * ordinary inputs and outputs.
 */
export function encodeOnnx(graph: Graph, options: EncodeOnnxOptions = {}): Uint8Array {
  const locate = options.locate ?? ((name: string) => ({ location: name, offset: 0 }));
  const model = create(ModelProtoSchema, {
    irVersion,
    producerName: "ringrank",
    graph: graphProto(graph, locate, graph.outputs.map(valueInfoProto)),
    opsetImport: Object.entries(graph.opsets).map(([domain, version]) => ({
      domain,
      version: BigInt(version),
    })),
  });
  return toBinary(ModelProtoSchema, model);
}

type Locate = NonNullable<EncodeOnnxOptions["locate"]>;

/** @param output default: by name only, as in a branch, whose types follow from the nodes */
function graphProto(
  graph: Branch,
  locate: Locate,
  output: MessageInitShape<typeof ValueInfoProtoSchema>[] = graph.outputs.map(({ name }) => ({ name })),
): MessageInitShape<typeof GraphProtoSchema> {
  return {
    name: "graph",
    node: graph.nodes.map((node) => nodeProto(node, locate)),
    initializer: Array.from(graph.weights, ([name, weight]) => weightProto(name, weight, locate)),
    input: graph.inputs.map(valueInfoProto),
    output,
  };
}

function nodeProto(node: GraphNode, locate: Locate): MessageInitShape<typeof NodeProtoSchema> {
  return {
    opType: node.opType,
    domain: node.domain,
    input: [...node.inputs],
    output: [...node.outputs],
    attribute: Object.entries(node.attributes).map(([name, attribute]) => ({
      name,
      ...attributeProto(attribute, locate),
    })),
  };
}

function attributeProto(attribute: Attribute, locate: Locate): MessageInitShape<typeof AttributeProtoSchema> {
  switch (attribute.kind) {
    case "int":
      return { type: AttributeType.INT, i: toInt64(attribute.value) };
    case "float":
      return { type: AttributeType.FLOAT, f: attribute.value };
    case "string":
      return { type: AttributeType.STRING, s: utf8.encode(attribute.value) };
    case "ints":
      return { type: AttributeType.INTS, ints: attribute.value.map(toInt64) };
    case "floats":
      return { type: AttributeType.FLOATS, floats: [...attribute.value] };
    case "strings":
      return { type: AttributeType.STRINGS, strings: attribute.value.map((text) => utf8.encode(text)) };
    case "tensor":
      return { type: AttributeType.TENSOR, t: constantProto(attribute.value) };
    case "graph":
      return { type: AttributeType.GRAPH, g: graphProto(attribute.value, locate) };
  }
}

const utf8 = new TextEncoder();

function weightProto(
  name: string,
  weight: Weight,
  locate: Locate,
): MessageInitShape<typeof TensorProtoSchema> {
  const { type, dims, source } = weight;
  if (source.kind === "inline") return { name, ...constantProto({ type, dims, data: source.data }) };
  const { location, offset } = locate(name, weight);
  return {
    name,
    dims: dims.map(BigInt),
    dataType: toOnnxDataType(type),
    dataLocation: TensorProto_DataLocation.EXTERNAL,
    externalData: [
      { key: "location", value: location },
      { key: "offset", value: String(offset) },
      { key: "length", value: String(byteCount(type, dims)) },
    ],
  };
}

function constantProto(tensor: ConstantTensor): MessageInitShape<typeof TensorProtoSchema> {
  return {
    dims: tensor.dims.map(BigInt),
    dataType: toOnnxDataType(tensor.type),
    rawData: bytesOf(tensor.data),
  };
}

function valueInfoProto(value: ValueInfo): MessageInitShape<typeof ValueInfoProtoSchema> {
  return {
    name: value.name,
    type: {
      value: {
        case: "tensorType",
        value: {
          elemType: toOnnxDataType(value.type),
          shape: {
            dim: value.dims.map((dim) => ({
              value:
                typeof dim === "number"
                  ? { case: "dimValue", value: BigInt(dim) }
                  : { case: "dimParam", value: dim },
            })),
          },
        },
      },
    },
  };
}
