import {
  closeSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  statSync,
  symlinkSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { create, fromBinary, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { describe, expect, it } from "vitest";
import { expectCode } from "../../../../test/support/coded-error.js";
import { temporaryDirectory } from "../../../../test/support/temporary-directory.js";
import { type Graph, GraphBuilder, type GraphNode, type Weight } from "../graph/index.js";
import { readStatistics, ShardReader } from "../weights/index.js";
import { type ExternalLocation, encodeOnnx } from "./encode-onnx.js";
import {
  AttributeProto_AttributeType,
  TensorProto_DataLocation as DataLocation,
  TensorProto_DataType as DataType,
  ModelProtoSchema,
  type TensorProtoSchema,
} from "./onnx_pb.js";
import { openOnnx } from "./open-onnx.js";

const rows = 64;
const values = Float32Array.from({ length: rows * 64 }, (_, index) => index / 7);
const inline: Weight = { type: "float32", dims: [rows, 64], source: { kind: "inline", data: values } };
const external: Weight = { ...inline, source: { kind: "absent" } };

/** `y = x · w + 2`. */
function linear(w: Weight): Graph {
  const g = new GraphBuilder();
  const x = g.input("x", "float32", ["batch", rows]);
  g.output("y", g.add(g.matmul(x, g.weight("w", w)), g.numbers([2])), "float32", ["batch", 64]);
  return g.build();
}

/** A model whose `w` is external data. */
const located = (place: Partial<ExternalLocation>): Uint8Array =>
  encodeOnnx(linear(external), { locate: () => ({ location: "w.data", offset: 0, ...place }) });

function read(weight: Weight) {
  using reader = new ShardReader();
  return reader.read({ weight, selection: weight.dims.map((size) => [[0, size]]), dims: weight.dims });
}

describe("weights inside the file", () => {
  const open = () => openOnnx(join(temporaryDirectory({ "m.onnx": encodeOnnx(linear(inline)) }), "m.onnx"));

  it("are referenced in place", () => {
    expect(read(open().weights.get("w")!)).toEqual(values);
  });

  it("are not read when the file is opened, while small constants are", () => {
    const before = readStatistics().bytes;
    const graph = open();
    expect(readStatistics().bytes - before).toBeLessThan(values.byteLength);
    const [constant] = [...graph.weights].filter(([name]) => name !== "w").map(([, weight]) => weight);
    expect(constant!.source).toEqual({ kind: "inline", data: Float32Array.of(2) });
  });

  // As written by onnx.load and onnx.save for a model that had external data.
  it("are not read either if the file marks them as not external", () => {
    const model = fromBinary(ModelProtoSchema, encodeOnnx(linear(inline)));
    for (const tensor of model.graph!.initializer) tensor.dataLocation = DataLocation.DEFAULT;
    const directory = temporaryDirectory({ "m.onnx": toBinary(ModelProtoSchema, model) });
    const { weights } = openOnnx(join(directory, "m.onnx"));
    expect(weights.get("w")!.source.kind).toBe("file");
    expect(read(weights.get("w")!)).toEqual(values);
  });

  it("include those that the file has as a Constant node", () => {
    const node: GraphNode = {
      opType: "Constant",
      domain: "",
      inputs: [],
      outputs: ["w"],
      attributes: { value: { kind: "tensor", value: { type: "float32", dims: [rows, 64], data: values } } },
    };
    const graph = linear(inline);
    const bytes = encodeOnnx({
      ...graph,
      nodes: [node, ...graph.nodes],
      weights: new Map([...graph.weights].filter(([name]) => name !== "w")),
    });
    const opened = openOnnx(join(temporaryDirectory({ "m.onnx": bytes }), "m.onnx"));
    expect(opened.nodes.map(({ opType }) => opType)).toEqual(["MatMul", "Add"]);
    expect(read(opened.weights.get("w")!)).toEqual(values);
  });
});

describe("a tensor", () => {
  const file = (tensor: MessageInitShape<typeof TensorProtoSchema>, asConstant = false): string => {
    const value = { name: "value", type: AttributeProto_AttributeType.TENSOR, t: tensor };
    const model = create(ModelProtoSchema, {
      opsetImport: [{ domain: "", version: 20n }],
      graph: asConstant
        ? { node: [{ opType: "Constant", output: ["w"], attribute: [value] }] }
        : { initializer: [{ name: "w", ...tensor }] },
    });
    return join(temporaryDirectory({ "m.onnx": toBinary(ModelProtoSchema, model) }), "m.onnx");
  };

  it.each<[string, MessageInitShape<typeof TensorProtoSchema>]>([
    [
      "float16 elements in the field for floats",
      { dataType: DataType.FLOAT16, floatData: [...values.subarray(0, 64)] },
    ],
    [
      "float64 elements in the field for floats",
      { dataType: DataType.DOUBLE, floatData: [...values.subarray(0, 256)] },
    ],
    [
      "float32 elements in the field for doubles",
      { dataType: DataType.FLOAT, doubleData: [...values.subarray(0, 64)] },
    ],
  ])("whose elements are not in the field for their type is refused: %s", (_, tensor) => {
    // As many as give their field the right number of bytes.
    expectCode("RR_FILE_FORMAT", () => openOnnx(file({ dims: [128n], ...tensor })));
  });

  it("with two locations of external data is refused as ambiguous", () => {
    const externalData = ["one", "other"].map((value) => ({ key: "location", value }));
    const tensor = {
      dataType: DataType.FLOAT,
      dims: [4n],
      dataLocation: DataLocation.EXTERNAL,
      externalData,
    };
    const { message } = expectCode("RR_FILE_FORMAT", () => openOnnx(file(tensor)));
    expect(message).toContain("two entries with the same key");
  });

  it.each([false, true])(
    "of an unsupported type is named in the error, also as a Constant (%s)",
    (asConstant) => {
      const eightBits = { dataType: DataType.FLOAT8E4M3FN, dims: [4n], rawData: new Uint8Array(4) };
      const path = file(eightBits, asConstant);
      const { message } = expectCode("RR_FILE_FORMAT", () => openOnnx(path));
      expect(message).toMatch(/"?w"?: element type FLOAT8E4M3FN is not supported/);
    },
  );
});

describe("external data", () => {
  it("is referenced in its file, at its offset", () => {
    const data = new Uint8Array(values.byteLength + 12);
    data.set(new Uint8Array(values.buffer), 12);
    const directory = temporaryDirectory({ "m.onnx": located({ offset: 12 }), "w.data": data });
    expect(read(openOnnx(join(directory, "m.onnx")).weights.get("w")!)).toEqual(values);
  });

  it("may be beyond 4 GiB", () => {
    const offset = 5 * 2 ** 30 + 4;
    const directory = temporaryDirectory({ "m.onnx": located({ offset }) });
    // A sparse file: only its last page takes space.
    const file = openSync(join(directory, "w.data"), "w");
    ftruncateSync(file, offset);
    writeSync(file, values, 0, values.byteLength, offset);
    closeSync(file);
    expect(statSync(join(directory, "w.data")).size).toBeGreaterThan(2 ** 32);
    expect(read(openOnnx(join(directory, "m.onnx")).weights.get("w")!)).toEqual(values);
  });

  it("may be in any number of files", () => {
    const g = new GraphBuilder();
    const parts = Array.from({ length: 100 }, (_, row) =>
      g.weight(`row${row}`, { type: "float32", dims: [1, rows], source: { kind: "absent" } }),
    );
    g.output("y", g.concat(parts, 0), "float32", [100, rows]);
    const model = encodeOnnx(g.build(), { locate: (name) => ({ location: `data/${name}`, offset: 4 }) });
    const files = parts.map((_, row) => [`data/row${row}`, new Float32Array(1 + rows).fill(row)] as const);
    const contents = files.map(([name, data]) => [name, new Uint8Array(data.buffer)] as const);
    const directory = temporaryDirectory({ "m.onnx": model, ...Object.fromEntries(contents) });
    const { weights } = openOnnx(join(directory, "m.onnx"));
    expect([...weights.values()].map((weight) => read(weight)[0])).toEqual([...parts.keys()]);
  });

  it("is found next to the links of a hub cache's snapshot", () => {
    const cache = temporaryDirectory({
      "models--a--b/blobs/1": located({}),
      "models--a--b/blobs/2": bytes(),
    });
    const snapshot = join(cache, "models--a--b/snapshots", "0".repeat(40), "onnx");
    mkdirSync(snapshot, { recursive: true });
    symlinkSync(join(cache, "models--a--b/blobs/1"), join(snapshot, "model.onnx"));
    symlinkSync(join(cache, "models--a--b/blobs/2"), join(snapshot, "w.data"));
    expect(read(openOnnx(join(snapshot, "model.onnx")).weights.get("w")!)).toEqual(values);
  });

  it.each<[string, Partial<ExternalLocation>, "RR_PATH" | "RR_MISSING_FILE" | "RR_FILE_FORMAT"]>([
    ["without a file name", { location: "" }, "RR_PATH"],
    ["in a file whose name is a NUL byte", { location: "\0" }, "RR_PATH"],
    ["in a parent directory", { location: "../w.data" }, "RR_PATH"],
    ["at an absolute path", { location: "/etc/hostname" }, "RR_PATH"],
    ["behind a link that leads out", { location: "link" }, "RR_PATH"],
    ["in a missing file", { location: "no.data" }, "RR_MISSING_FILE"],
    ["beyond the end of its file", { offset: 4 }, "RR_FILE_FORMAT"],
    ["at a negative offset", { offset: -1 }, "RR_FILE_FORMAT"],
  ])("is refused %s", (_, place, code) => {
    const outside = temporaryDirectory({ secret: bytes() });
    const directory = temporaryDirectory({ "m.onnx": located(place), "w.data": bytes() });
    symlinkSync(join(outside, "secret"), join(directory, "link"));
    expectCode(code, () => openOnnx(join(directory, "m.onnx")));
  });

  function bytes(): Uint8Array {
    return new Uint8Array(values.buffer);
  }
});

describe("a file", () => {
  it("with unordered nodes is sorted", () => {
    const graph = linear(inline);
    const directory = temporaryDirectory({
      "m.onnx": encodeOnnx({ ...graph, nodes: graph.nodes.toReversed() }),
    });
    const { nodes } = openOnnx(join(directory, "m.onnx"));
    expect(nodes.map(({ opType }) => opType)).toEqual(["MatMul", "Add"]);
  });

  it.each<[string, (graph: Graph) => Graph, "RR_GRAPH" | "RR_FILE_FORMAT"]>([
    ["with a cycle", withCycle, "RR_GRAPH"],
    ["that reads an undefined value", (graph) => ({ ...graph, nodes: graph.nodes.slice(1) }), "RR_GRAPH"],
    ["without an opset", (graph) => ({ ...graph, opsets: {} }), "RR_FILE_FORMAT"],
    ["with two large constants of one name", withTwoConstants, "RR_FILE_FORMAT"],
    ["of opset 10", (graph) => ({ ...graph, opsets: { "": 10 } }), "RR_FILE_FORMAT"],
    ["of opset 24", (graph) => ({ ...graph, opsets: { "": 24 } }), "RR_FILE_FORMAT"],
  ])("%s is refused", (_, change, code) => {
    const directory = temporaryDirectory();
    writeFileSync(join(directory, "m.onnx"), encodeOnnx(change(linear(inline))));
    expectCode(code, () => openOnnx(join(directory, "m.onnx")));
  });

  it("is named in an error about it, together with the tensor or node", () => {
    const product: GraphNode = {
      ...linear(inline).nodes[0]!,
      attributes: { size: { kind: "int", value: 2 ** 60 } },
    };
    const directory = temporaryDirectory({
      "tensor.onnx": located({ offset: 4 }),
      "node.onnx": encodeOnnx({ ...linear(inline), nodes: [product, linear(inline).nodes[1]!] }),
      "w.data": new Uint8Array(values.byteLength),
    });
    const messageOf = (name: string) => messageOfError(() => openOnnx(join(directory, name)));
    expect(messageOf("tensor.onnx")).toMatch(/tensor\.onnx: .* tensor w: its 16384 bytes at offset 4/);
    expect(messageOf("node.onnx")).toMatch(/node\.onnx: .* attribute size of the MatMul of ".+"/);
  });

  it("with a loop is refused, naming its node", () => {
    const loop: GraphNode = {
      opType: "Loop",
      domain: "",
      inputs: ["", "", "x"],
      outputs: ["looped"],
      attributes: { body: { kind: "graph", value: { ...linear(inline), nodes: [], weights: new Map() } } },
    };
    const bytes = encodeOnnx({ ...linear(inline), nodes: [...linear(inline).nodes, loop] });
    const path = join(temporaryDirectory({ "m.onnx": bytes }), "m.onnx");
    expect(messageOfError(() => openOnnx(path))).toContain('the Loop of "looped" has a graph with inputs');
  });

  function messageOfError(run: () => unknown): string {
    try {
      run();
    } catch (error) {
      return (error as Error).message;
    }
    return "nothing was thrown";
  }

  it("may have any number of nodes", () => {
    const graph = linear(inline);
    // More than the possible number of arguments in a call.
    const many = Array.from({ length: 40_000 }, (_, index) => ({
      ...graph.nodes[1]!,
      outputs: [`copy${index}`],
    }));
    const bytes = encodeOnnx({ ...graph, nodes: [...graph.nodes, ...many] });
    expect(openOnnx(join(temporaryDirectory({ "m.onnx": bytes }), "m.onnx")).nodes).toHaveLength(40_002);
  });

  function withTwoConstants(graph: Graph): Graph {
    const value = { kind: "tensor", value: { type: "float32", dims: [rows, 64], data: values } } as const;
    const node = { opType: "Constant", domain: "", inputs: [], outputs: ["c"], attributes: { value } };
    return { ...graph, nodes: [...graph.nodes, node, node] };
  }

  function withCycle(graph: Graph): Graph {
    const [product, sum] = graph.nodes as [GraphNode, GraphNode];
    return { ...graph, nodes: [{ ...product, inputs: [sum.outputs[0]!, "w"] }, sum] };
  }
});
