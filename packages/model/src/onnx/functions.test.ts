import { create, toBinary } from "@bufbuild/protobuf";
import { expect, it } from "vitest";
import { expectCode } from "../../../../test/support/coded-error.js";
import { decodeOnnx } from "./decode-onnx.js";
import {
  AttributeProto_AttributeType as AttributeType,
  ModelProtoSchema,
  type NodeProto,
} from "./onnx_pb.js";

type Node = Partial<Pick<NodeProto, "opType" | "input" | "output" | "domain">> & { attribute?: object[] };

/** A model of one node, `y = Twice(x)` with `alpha` 0.5, and a function `Twice` with these nodes. */
function modelOf(body: readonly Node[], opset = 20n): Uint8Array {
  const value = (name: string) => ({
    name,
    type: { value: { case: "tensorType" as const, value: { elemType: 1, shape: { dim: [] } } } },
  });
  const alpha = { name: "alpha", type: AttributeType.FLOAT, f: 0.5 };
  return toBinary(
    ModelProtoSchema,
    create(ModelProtoSchema, {
      opsetImport: [{ domain: "", version: 20n }],
      graph: {
        input: [value("x")],
        output: [value("y")],
        node: [
          { opType: "Twice", domain: "own", input: ["x"], output: ["h"], attribute: [alpha] },
          { opType: "Twice", domain: "own", input: ["h"], output: ["y"] },
        ],
      },
      functions: [
        {
          name: "Twice",
          domain: "own",
          input: ["a"],
          output: ["c"],
          attribute: ["alpha"],
          opsetImport: [{ domain: "", version: opset }],
          node: body as NodeProto[],
        },
      ],
    }),
  );
}

const byReference = { name: "alpha", refAttrName: "alpha", type: AttributeType.FLOAT };
const twice: readonly Node[] = [
  { opType: "LeakyRelu", input: ["a"], output: ["b"], attribute: [byReference] },
  { opType: "Add", input: ["b", "b"], output: ["c"] },
];

it("a call becomes the function's nodes, with the call's values, and names of its own for inner values", () => {
  const { nodes } = decodeOnnx(modelOf(twice));
  expect(nodes.map(({ opType }) => opType)).toEqual(["LeakyRelu", "Add", "LeakyRelu", "Add"]);
  expect([nodes[0]!.inputs, nodes[1]!.outputs, nodes[3]!.outputs]).toEqual([["x"], ["h"], ["y"]]);
  expect(new Set(nodes.flatMap(({ outputs }) => outputs)).size).toBe(4);
});

it("an attribute that the body refers to gets the call's value, or is left out", () => {
  const { nodes } = decodeOnnx(modelOf(twice));
  expect(nodes[0]!.attributes).toEqual({ alpha: { kind: "float", value: 0.5 } });
  expect(nodes[2]!.attributes).toEqual({});
});

it("refuses a recursive function", () => {
  const calls = [{ opType: "Twice", domain: "own", input: ["a"], output: ["c"] }];
  expectCode("RR_FILE_FORMAT", () => decodeOnnx(modelOf(calls)));
});

it("refuses a function that calls itself twice, before it has been expanded", () => {
  const calls = ["c", "d"].map((output) => ({
    opType: "Twice",
    domain: "own",
    input: ["a"],
    output: [output],
  }));
  expectCode("RR_FILE_FORMAT", () => decodeOnnx(modelOf(calls)));
});

it("refuses a function of another opset", () => {
  expectCode("RR_FILE_FORMAT", () => decodeOnnx(modelOf(twice, 17n)));
});
