import { readFileSync } from "node:fs";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { expect, it } from "vitest";
import { assembledExport } from "../../../../test/support/onnx-exports.js";
import { buildGraph } from "../architectures/index.js";
import { openCheckpoint } from "../checkpoint/index.js";
import { zooDirectory } from "../testing/fixtures.js";
import { ModelProtoSchema, TensorProtoSchema } from "../testing/onnx_pb.js";
import { encodeOnnx } from "./encode-onnx.js";
import { modelProto, tensorProto } from "./messages.js";

// protobuf's own library, with what its compiler has made of proto/onnx.proto, is the reference.

it.each(["llama", "bart"])("%s is written byte for byte as protobuf's own library writes it", (name) => {
  const bytes = encodeOnnx(buildGraph(openCheckpoint(zooDirectory(name))).graph);
  expect(toBinary(ModelProtoSchema, fromBinary(ModelProtoSchema, bytes))).toEqual(bytes);
});

it.each([
  "torch/llama/dynamo.onnx",
  "torch/bart/torchscript.onnx",
  "optimum-1.16/opt/decoder_model_merged.onnx",
])("%s is read as protobuf's own library reads it", (path) => {
  const bytes = readFileSync(assembledExport(path));
  expectAlike(modelProto.decode(bytes), fromBinary(ModelProtoSchema, bytes));
});

it("elements of every type are read from the fields that protobuf's own library packs them in", () => {
  const elements = {
    floatData: [1.5, -2],
    int32Data: [-1, 2 ** 31 - 1],
    int64Data: [-1n, 2n ** 63n - 1n],
    doubleData: [0.1],
    uint64Data: [2n ** 64n - 1n],
  };
  const bytes = toBinary(TensorProtoSchema, create(TensorProtoSchema, elements));
  expect(tensorProto.decode(bytes)).toMatchObject(elements);
  expect(tensorProto.encode(elements)).toEqual(bytes);
});

it("numbers are read whether they are packed or not", () => {
  // Field 1, dims: 3 and 4, with a tag each, and packed.
  for (const bytes of [
    [0x08, 3, 0x08, 4],
    [0x0a, 2, 3, 4],
  ])
    expect(tensorProto.decode(Uint8Array.from(bytes)).dims).toEqual([3n, 4n]);
});

it("unknown fields are skipped", () => {
  // Field 12, doc_string, of two bytes, before field 2, data_type.
  expect(tensorProto.decode(Uint8Array.of(0x62, 2, 65, 66, 0x10, 7)).dataType).toBe(7);
});

it.each([
  ["in a number", [0x10, 0x80]],
  ["in a name", [0x42, 5, 65]],
  ["in a message inside it", [0x6a, 4, 0x0a, 1, 65]],
  ["after a message inside it, of which a field is longer", [0x6a, 2, 0x0a, 1, 65]],
])("a message that ends %s is an error", (_, bytes) => {
  expect(() => tensorProto.decode(Uint8Array.from(bytes))).toThrow(RangeError);
});

it("a field with another wire type than its own is an error", () => {
  expect(() => tensorProto.decode(Uint8Array.of(0x12, 1, 7))).toThrow("wire type");
});

/** Compares the fields that ours has; theirs have defaults on their prototypes, and alternatives in `value`. */
function expectAlike(ours: unknown, theirs: unknown): void {
  if (typeof ours !== "object" || ours === null || ours instanceof Uint8Array) {
    expect(theirs).toEqual(ours);
    return;
  }
  if (Array.isArray(ours)) expect(theirs).toHaveLength(ours.length);
  for (const [name, value] of Object.entries(ours)) expectAlike(value, fieldOf(theirs as object, name));
}

function fieldOf(message: object, name: string): unknown {
  const fields = message as Readonly<Record<string, unknown>>;
  if (name in fields) return fields[name];
  const { case: chosen, value } = (fields.value ?? {}) as { case?: string; value?: unknown };
  return chosen === name ? value : undefined;
}
