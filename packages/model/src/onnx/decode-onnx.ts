import { fromBinary } from "@bufbuild/protobuf";
import { RingrankError } from "@ringrank/errors";
import { checkGraph } from "../graph/check-graph.js";
import type { Attribute, Branch, Graph, GraphNode, SymbolicDim, ValueInfo, Weight } from "../graph/graph.js";
import { readsOf } from "../graph/reads-of.js";
import { reorderNodes } from "../graph/reorder-nodes.js";
import { decodeTensor, type ResolveExternal } from "./decode-tensor.js";
import { Functions, resolveAttributes } from "./functions.js";
import {
  type AttributeProto,
  AttributeProto_AttributeType as AttributeType,
  type GraphProto,
  type ModelProto,
  ModelProtoSchema,
  type NodeProto,
  TensorProto_DataLocation,
  type ValueInfoProto,
} from "./onnx_pb.js";
import { fromOnnxDataType } from "./onnx-data-types.js";
import { outermost, type Scope } from "./scope.js";
import { upgradeOpset } from "./upgrade-opset.js";

export interface DecodeOnnxOptions {
  /**
   * Returns the file for a `location` inside the model; it must refuse one outside the model's directory. Without it,
   * external weights have the source `absent`.
   */
  readonly resolveExternal?: ResolveExternal | undefined;
}

/** Supported operator sets of the default domain; the older ones are upgraded. */
const opsets = { oldest: 11, newest: 23 } as const;
/** More than any model has, once its functions are inlined. */
const maxNodes = 1_000_000;

/**
 * An ONNX model as a graph, with its own functions inlined and its nodes in topological order. `caches` is empty,
 * because ONNX does not say which inputs are state.
 *
 * @throws RR_FILE_FORMAT if the bytes are not an ONNX model, or use what a Graph cannot represent: sparse or string
 * tensors, inputs that are not tensors, an opset before 11 or after 23; RR_GRAPH for a cycle or an undefined value
 */
export function decodeOnnx(bytes: Uint8Array, options: DecodeOnnxOptions = {}): Graph {
  const model = parse(bytes);
  if (model.graph === undefined) throw malformed("the model has no graph");
  const versions = Object.fromEntries(
    model.opsetImport.map(({ domain, version }) => [domain === "ai.onnx" ? "" : domain, Number(version)]),
  );
  const opset = versions[""];
  if (!(opset !== undefined && opset >= opsets.oldest && opset <= opsets.newest)) {
    throw malformed(
      `it uses opset ${opset ?? "(none given)"}; export it with one from ${opsets.oldest} to ${opsets.newest}`,
    );
  }
  const graph = new Decoder(model, versions, options.resolveExternal).graph(model.graph);
  const upgraded = upgradeOpset(graph);
  checkGraph(upgraded);
  return upgraded;
}

function parse(bytes: Uint8Array): ModelProto {
  try {
    return fromBinary(ModelProtoSchema, bytes);
  } catch (cause) {
    throw new RingrankError(
      "RR_FILE_FORMAT",
      `expected an ONNX model, but the bytes are not such a protobuf`,
      {
        cause,
      },
    );
  }
}

class Decoder {
  readonly #opsets: Graph["opsets"];
  readonly #functions: Functions;
  readonly #resolveExternal: ResolveExternal | undefined;
  #nodes = 0;

  constructor(model: ModelProto, versions: Graph["opsets"], resolveExternal: ResolveExternal | undefined) {
    const opset = versions[""];
    this.#opsets = versions;
    this.#functions = new Functions(model.functions, opset === undefined ? undefined : BigInt(opset));
    this.#resolveExternal = resolveExternal;
  }

  graph(proto: GraphProto): Graph {
    const { inputs, outputs, ...body } = this.#body(proto, outermost);
    const graph = { ...body, inputs: inputs.map(decodeValueInfo), outputs: outputs.map(decodeValueInfo) };
    // ONNX requires nodes to be in order; a file that violates this is sorted, unless there is a cycle.
    return isOrdered(graph) ? graph : reorderNodes(graph, () => 0);
  }

  /** @param node that has it, for errors */
  #branch(proto: GraphProto, scope: Scope, node: string): Branch {
    const { inputs, outputs, ...body } = this.#body(proto, scope);
    if (inputs.length > 0) {
      throw malformed(
        `${node} has a graph with inputs, as in loops, which are not supported; export without them`,
      );
    }
    return { ...body, inputs: [], outputs: outputs.map(({ name }) => ({ name: scope.nameOf(name) })) };
  }

  #body(proto: GraphProto, scope: Scope) {
    if (proto.sparseInitializer.length > 0) throw malformed("sparse initializers are not supported");
    const weights = new Map<string, Weight>();
    for (const tensor of proto.initializer) {
      const name = scope.nameOf(tensor.name);
      if (name === "" || weights.has(name))
        throw malformed(`expected initializer names that are unique and not empty, got "${name}"`);
      weights.set(name, decodeTensor(tensor, this.#resolveExternal));
    }
    const nodes = proto.node.flatMap((node) => this.#node(node, scope, weights));
    return {
      opsets: this.#opsets,
      // Before IR version 4, initializers were also listed as inputs, as defaults that a caller may override.
      inputs: proto.input.filter(({ name }) => !weights.has(scope.nameOf(name))),
      outputs: proto.output,
      nodes,
      weights,
      caches: [],
    };
  }

  #node(proto: NodeProto, scope: Scope, weights: Map<string, Weight>): GraphNode[] {
    if (++this.#nodes > maxNodes) throw malformed(`more than ${maxNodes} nodes`);
    const body = this.#functions.find(proto);
    if (body !== undefined) {
      const inner = this.#functions.scopeOf(body, proto, scope);
      return body.node.flatMap((node) => this.#node(node, inner, weights));
    }
    const attributes = resolveAttributes(proto, scope);
    const [only] = attributes;
    const output = scope.nameOf(proto.output[0] ?? "");
    if (proto.opType === "Constant" && only?.t?.dataLocation === TensorProto_DataLocation.EXTERNAL) {
      if (weights.has(output)) throw malformed(`the value "${output}" is defined twice`);
      weights.set(output, decodeTensor(only.t, this.#resolveExternal, output));
      return [];
    }
    return [
      {
        opType: proto.opType,
        domain: proto.domain === "ai.onnx" ? "" : proto.domain,
        inputs: proto.input.map(scope.nameOf),
        outputs: proto.output.map(scope.nameOf),
        attributes: Object.fromEntries(
          attributes.map((one) => [
            one.name,
            this.#attribute(one, scope, `the ${proto.opType} of "${output}"`),
          ]),
        ),
      },
    ];
  }

  /** @param node that has it, for errors */
  #attribute(proto: AttributeProto, scope: Scope, node: string): Attribute {
    switch (proto.type) {
      case AttributeType.INT:
        return { kind: "int", value: toNumber(proto.i, proto.name, node) };
      case AttributeType.FLOAT:
        return { kind: "float", value: proto.f };
      case AttributeType.STRING:
        return { kind: "string", value: utf8.decode(proto.s) };
      case AttributeType.INTS:
        return { kind: "ints", value: proto.ints.map((value) => toNumber(value, proto.name, node)) };
      case AttributeType.FLOATS:
        return { kind: "floats", value: proto.floats };
      case AttributeType.STRINGS:
        return { kind: "strings", value: proto.strings.map((text) => utf8.decode(text)) };
      case AttributeType.TENSOR:
        if (proto.t !== undefined) {
          const name = proto.t.name || `${proto.name} of ${node}`;
          const { type, dims, source } = decodeTensor(proto.t, undefined, name);
          if (source.kind === "inline") return { kind: "tensor", value: { type, dims, data: source.data } };
        }
        break;
      case AttributeType.GRAPH:
        if (proto.g !== undefined) return { kind: "graph", value: this.#branch(proto.g, scope, node) };
        break;
      default:
    }
    throw malformed(
      `attribute ${proto.name} of ${node} has no value, or has the type ${proto.type}, which is not supported`,
    );
  }
}

function isOrdered(graph: Graph): boolean {
  const made = new Set(graph.nodes.flatMap(({ outputs }) => outputs));
  return graph.nodes.every((node) => {
    const ready = [...readsOf(node)].every((name) => !made.has(name));
    for (const name of node.outputs) made.delete(name);
    return ready;
  });
}

const utf8 = new TextDecoder();

/**
 * Bounds such as Slice's "to the end" (the largest int64) lose their last digits, which does not change their meaning.
 */
function toNumber(value: bigint, name: string, node: string): number {
  const number = Number(value);
  if (!Number.isSafeInteger(number) && Math.abs(number) < 2 ** 62) {
    throw malformed(`attribute ${name} of ${node} is ${value}, beyond 2^53`);
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
