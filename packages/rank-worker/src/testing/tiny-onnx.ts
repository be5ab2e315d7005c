/**
 * Small ONNX models for tests, encoded by hand according to https://github.com/onnx/onnx/blob/main/onnx/onnx.proto, so
 * that these tests do not depend on another package's encoder.
 */
export interface TinyValue {
  readonly name: string;
  readonly type?: "float32" | "int64";
  readonly dims: readonly (number | string)[];
}

export interface TinyNode {
  readonly op: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  /** Integer attributes: a number, or a list. */
  readonly attributes?: Readonly<Record<string, number | readonly number[]>>;
}

interface TinyModel {
  readonly inputs: readonly TinyValue[];
  readonly outputs: readonly TinyValue[];
  readonly nodes: readonly TinyNode[];
  /** External data: location = the index, offset 0. */
  readonly weights?: readonly TinyValue[];
  /** int64 vectors and scalars that are stored in the model itself. */
  readonly constants?: Readonly<Record<string, number | readonly number[]>>;
}

const elementTypes = { float32: 1, int64: 7 } as const;

export function encodeTinyOnnx(model: TinyModel): Uint8Array {
  const graph = [
    ...model.nodes.flatMap((node) => message(1, encodeNode(node))),
    ...text(2, "tiny"),
    ...(model.weights ?? []).flatMap((weight, index) => message(5, externalTensor(weight, index))),
    ...Object.entries(model.constants ?? {}).flatMap(([name, value]) =>
      message(5, constantTensor(name, value)),
    ),
    ...model.inputs.flatMap((value) => message(11, valueInfo(value))),
    ...model.outputs.flatMap((value) => message(12, valueInfo(value))),
  ];
  return Uint8Array.from([...integer(1, 8), ...message(7, graph), ...message(8, integer(2, 13))]);
}

function encodeNode({ op, inputs, outputs, attributes = {} }: TinyNode): number[] {
  return [
    ...inputs.flatMap((name) => text(1, name)),
    ...outputs.flatMap((name) => text(2, name)),
    ...text(4, op),
    ...Object.entries(attributes).flatMap(([name, value]) =>
      message(
        5,
        typeof value === "number"
          ? [...text(1, name), ...integer(3, value), ...integer(20, 2)]
          : [...text(1, name), ...value.flatMap((item) => integer(8, item)), ...integer(20, 7)],
      ),
    ),
  ];
}

function externalTensor({ name, type = "float32", dims }: TinyValue, index: number): number[] {
  const length =
    dims.reduce<number>((product, size) => product * Number(size), 1) * (type === "int64" ? 8 : 4);
  const entries = { location: String(index), offset: "0", length: String(length) };
  return [
    ...dims.flatMap((size) => integer(1, Number(size))),
    ...integer(2, elementTypes[type]),
    ...text(8, name),
    ...Object.entries(entries).flatMap(([key, value]) => message(13, [...text(1, key), ...text(2, value)])),
    ...integer(14, 1),
  ];
}

function constantTensor(name: string, value: number | readonly number[]): number[] {
  const values = typeof value === "number" ? [value] : value;
  return [
    ...(typeof value === "number" ? [] : integer(1, values.length)),
    ...integer(2, elementTypes.int64),
    ...values.flatMap((item) => integer(7, item)),
    ...text(8, name),
  ];
}

function valueInfo({ name, type = "float32", dims }: TinyValue): number[] {
  const shape = dims.flatMap((size) =>
    message(1, typeof size === "number" ? integer(1, size) : text(2, size)),
  );
  return [
    ...text(1, name),
    ...message(2, message(1, [...integer(1, elementTypes[type]), ...message(2, shape)])),
  ];
}

function message(field: number, body: readonly number[]): number[] {
  return [...varint((field << 3) | 2), ...varint(body.length), ...body];
}

function text(field: number, value: string): number[] {
  return message(field, [...new TextEncoder().encode(value)]);
}

function integer(field: number, value: number): number[] {
  return [...varint(field << 3), ...varint(value)];
}

/** Negative numbers are 64-bit two's complement, as in protobuf. */
function varint(value: number): number[] {
  let rest = BigInt.asUintN(64, BigInt(value));
  const bytes: number[] = [];
  for (; rest > 0x7fn; rest >>= 7n) bytes.push(Number(rest & 0x7fn) | 0x80);
  return [...bytes, Number(rest)];
}
