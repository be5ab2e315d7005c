import { randomUUID } from "node:crypto";
import { create, toBinary } from "@bufbuild/protobuf";
import type { OpenFile } from "../weights/read-at.js";
import { TensorProto_DataLocation, TensorProto_DataType, TensorProtoSchema } from "./onnx_pb.js";
import { type WireField, WireReader, wireType } from "./wire-reader.js";

/**
 * The location, in a stripped model, of elements that are in the model's own file. It is not a possible file name, and
 * a model cannot know it, with which it could pass any of the file's bytes off as a weight.
 */
export const ownFile = `\0${randomUUID()}`;

/** Tensors up to this many bytes stay in the model: scales, epsilons, short vectors of constants. */
const inlineBytes = 255;
/** So do larger ones of the types of shapes and indices, whose contents planning needs. 4096 int64. */
const inlineIndexBytes = 32 * 1024;
/** The most bytes of a model without its weights. */
const maxStructureBytes = 256 * 1024 * 1024;
/** Limit of nested branches. */
const maxDepth = 32;

/** Fields of the messages that contain weights. Fields that are not listed are not needed here, and are dropped. */
type Message = ReadonlyMap<
  number,
  "copy" | "model" | "graph" | "node" | "attribute" | "function" | "sparse" | "tensor"
>;

const copied = (...numbers: readonly number[]) => numbers.map((number) => [number, "copy"] as const);

const messages: Readonly<Record<Exclude<MessageName, "tensor">, Message>> = {
  model: new Map([...copied(1, 2, 8), [7, "graph"], [25, "function"]]),
  graph: new Map([...copied(2, 11, 12), [1, "node"], [5, "tensor"], [15, "sparse"]]),
  node: new Map([...copied(1, 2, 4, 7, 8), [5, "attribute"]]),
  attribute: new Map([...copied(1, 2, 3, 4, 7, 8, 9, 20, 21), [5, "tensor"], [6, "graph"]]),
  function: new Map([...copied(1, 4, 5, 6, 9, 10, 13), [7, "node"], [11, "attribute"]]),
  // Refused later; it only matters that there is one.
  sparse: new Map(copied(3)),
};

type MessageName = "model" | "graph" | "node" | "attribute" | "function" | "sparse" | "tensor";

/**
 * An ONNX file as protobuf bytes without its weights, which are not read: a tensor's raw or float data becomes external
 * data in {@link ownFile}, at its offset there. Elements packed as varints stay, because a rank could not read them
 * from a file.
 *
 * @throws RR_FILE_FORMAT
 */
export function stripWeights(file: OpenFile): Uint8Array {
  const stripper = new Stripper(new WireReader(file));
  return joined(stripper.message("model", 0, file.size, 0));
}

class Stripper {
  readonly #reader: WireReader;
  #kept = 0;

  constructor(reader: WireReader) {
    this.#reader = reader;
  }

  message(name: MessageName, start: number, end: number, depth: number): Uint8Array[] {
    if (name === "tensor") return this.#tensor(start, end);
    if (depth > 4 * maxDepth) throw this.#reader.malformed(start, `graphs more than ${maxDepth} deep`);
    const out: Uint8Array[] = [];
    // Adjacent fields to copy are read at once.
    let run: { readonly from: number; readonly end: number } | undefined;
    const copyRun = (): void => {
      if (run !== undefined) out.push(this.#copy(run.from, run.end));
      run = undefined;
    };
    for (const { number, wire, from, start: valueStart, end: valueEnd } of this.#reader.fields(start, end)) {
      const kind = messages[name].get(number);
      if (kind === "copy" || (kind !== undefined && wire !== wireType.bytes)) {
        if (run?.end !== from) copyRun();
        run = { from: run?.from ?? from, end: valueEnd };
        continue;
      }
      copyRun();
      if (kind === undefined) continue;
      // A model may have more chunks than a call may have arguments.
      for (const chunk of nested(number, this.message(kind, valueStart, valueEnd, depth + 1)))
        out.push(chunk);
    }
    copyRun();
    return out;
  }

  #tensor(start: number, end: number): Uint8Array[] {
    const fields = [...this.#reader.fields(start, end)];
    const typed = fields.findLast(({ number }) => number === tensorField.dataType);
    const type = typed && this.#reader.varint(typed.start, typed.end).value;
    const data = fields.filter(({ number, wire }) => holdsElements(number, type) && wire === wireType.bytes);
    const [only] = data;
    const most = type !== undefined && indices.has(type) ? inlineIndexBytes : inlineBytes;
    if (only === undefined || data.length > 1 || only.end - only.start <= most || this.#isExternal(fields)) {
      return [this.#copy(start, end)];
    }
    const kept = fields.filter((field) => field !== only && field.number !== tensorField.externalData);
    return [...kept.map(({ from, end: to }) => this.#copy(from, to)), externalData(only)];
  }

  /**
   * A model whose external data has been loaded says `DEFAULT`: `onnx.load` writes it, while other tools omit the
   * field.
   */
  #isExternal(fields: readonly WireField[]): boolean {
    const location = fields.findLast(({ number }) => number === tensorField.dataLocation);
    if (location === undefined) return false;
    return this.#reader.varint(location.start, location.end).value !== TensorProto_DataLocation.DEFAULT;
  }

  #copy(start: number, end: number): Uint8Array {
    this.#kept += end - start;
    if (this.#kept > maxStructureBytes) {
      throw this.#reader.malformed(start, `more than ${maxStructureBytes} bytes in addition to its weights`);
    }
    return this.#reader.bytes(start, end);
  }
}

/** Fields of TensorProto. */
const tensorField = {
  dataType: 2,
  floatData: 4,
  rawData: 9,
  doubleData: 10,
  externalData: 13,
  dataLocation: 14,
} as const;

const indices: ReadonlySet<number> = new Set([
  TensorProto_DataType.INT64,
  TensorProto_DataType.INT32,
  TensorProto_DataType.BOOL,
]);

/** Whether the bytes of a field are elements of a type in memory layout. */
function holdsElements(number: number, type: number | undefined): boolean {
  if (number === tensorField.floatData) return type === TensorProto_DataType.FLOAT;
  if (number === tensorField.doubleData) return type === TensorProto_DataType.DOUBLE;
  return number === tensorField.rawData;
}

function externalData({ start, end }: WireField): Uint8Array {
  const reference = create(TensorProtoSchema, {
    dataLocation: TensorProto_DataLocation.EXTERNAL,
    externalData: [
      { key: "location", value: ownFile },
      { key: "offset", value: String(start) },
      { key: "length", value: String(end - start) },
    ],
  });
  return toBinary(TensorProtoSchema, reference);
}

/** A field that contains a message. */
function nested(number: number, content: readonly Uint8Array[]): Uint8Array[] {
  const length = content.reduce((sum, { byteLength }) => sum + byteLength, 0);
  return [Uint8Array.from([...varint(number * 8 + wireType.bytes), ...varint(length)]), ...content];
}

function varint(value: number): number[] {
  return value < 128 ? [value] : [(value % 128) + 128, ...varint(Math.floor(value / 128))];
}

function joined(chunks: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(chunks.reduce((sum, { byteLength }) => sum + byteLength, 0));
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.byteLength;
  }
  return bytes;
}
