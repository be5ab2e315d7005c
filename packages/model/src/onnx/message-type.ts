import { BinaryReader, BinaryWriter, WireType } from "@bufbuild/protobuf/wire";

/** How a value is written: https://protobuf.dev/programming-guides/encoding/ */
export interface Layout<Value, Written = Value> {
  readonly wire: WireType;
  read(reader: BinaryReader): Value;
  write(writer: BinaryWriter, value: Written): void;
}

export const string: Layout<string> = {
  wire: WireType.LengthDelimited,
  read: (reader) => reader.string(),
  write: (writer, value) => writer.string(value),
};
export const bytes: Layout<Uint8Array> = {
  wire: WireType.LengthDelimited,
  read: (reader) => reader.bytes(),
  write: (writer, value) => writer.bytes(value),
};
/** Also of an enumeration. */
export const int32: Layout<number> = {
  wire: WireType.Varint,
  read: (reader) => reader.int32(),
  write: (writer, value) => writer.int32(value),
};
export const int64: Layout<bigint> = {
  wire: WireType.Varint,
  read: (reader) => BigInt(reader.int64()),
  write: (writer, value) => writer.int64(value),
};
export const uint64: Layout<bigint> = {
  wire: WireType.Varint,
  read: (reader) => BigInt(reader.uint64()),
  write: (writer, value) => writer.uint64(value),
};
export const float: Layout<number> = {
  wire: WireType.Bit32,
  read: (reader) => reader.float(),
  write: (writer, value) => writer.float(value),
};
export const double: Layout<number> = {
  wire: WireType.Bit64,
  read: (reader) => reader.double(),
  write: (writer, value) => writer.double(value),
};

/** A layout, or a function that returns it, for a message that is defined later. */
type Given<Value, Written> = Layout<Value, Written> | (() => Layout<Value, Written>);

function resolved<Value, Written>(layout: Given<Value, Written>): Layout<Value, Written> {
  return typeof layout === "function" ? layout() : layout;
}

export interface Field<Value, Written = Value> {
  readonly number: number;
  /** The value in a message without the field. */
  absent(): Value;
  /** @param before what fields of this number before this one have given */
  read(reader: BinaryReader, wire: WireType, before: Value): Value;
  write(writer: BinaryWriter, value: Written): void;
}

/** Undefined if the message does not have it. */
export function optional<Value, Written>(
  number: number,
  layout: Given<Value, Written>,
): Field<Value | undefined, Written> {
  return {
    number,
    absent: () => undefined,
    read: (reader, wire) => readOne(reader, wire, resolved(layout)),
    write: (writer, value) => writeOne(writer, number, resolved(layout), value),
  };
}

export function defaulted<Value>(number: number, layout: Layout<Value>, value: Value): Field<Value> {
  return {
    number,
    absent: () => value,
    read: (reader, wire) => readOne(reader, wire, layout),
    write: (writer, written) => writeOne(writer, number, layout, written),
  };
}

/** As protobuf demands, numbers may also be packed when they are read. */
export function repeated<Value, Written>(
  number: number,
  layout: Given<Value, Written>,
): Field<Value[], readonly Written[]> {
  return {
    number,
    absent: () => [],
    read: (reader, wire, before) => {
      const one = resolved(layout);
      if (wire !== WireType.LengthDelimited || one.wire === wire) {
        before.push(readOne(reader, wire, one));
        return before;
      }
      const length = reader.uint32();
      for (const end = reader.pos + length; reader.pos < end; ) before.push(one.read(reader));
      return before;
    },
    write: (writer, values) => {
      const one = resolved(layout);
      for (const value of values) writeOne(writer, number, one, value);
    },
  };
}

/** Numbers that are written one after another, without a tag each. */
export function packed<Value>(number: number, layout: Layout<Value>): Field<Value[], readonly Value[]> {
  return {
    ...repeated(number, layout),
    write: (writer, values) => {
      if (values.length === 0) return;
      writer.tag(number, WireType.LengthDelimited).fork();
      for (const value of values) layout.write(writer, value);
      writer.join();
    },
  };
}

function readOne<Value>(reader: BinaryReader, wire: WireType, layout: Layout<Value, never>): Value {
  if (wire !== layout.wire) throw new RangeError(`expected wire type ${layout.wire}, got ${wire}`);
  return layout.read(reader);
}

function writeOne<Written>(
  writer: BinaryWriter,
  number: number,
  layout: Layout<unknown, Written>,
  value: Written,
): void {
  writer.tag(number, layout.wire);
  layout.write(writer, value);
}

/** A message to be written, of which any field may be missing. */
export type Init<Value> = Value extends bigint | number | string | Uint8Array
  ? Value
  : Value extends readonly (infer Item)[]
    ? readonly Init<Item>[]
    : { readonly [Name in keyof Value]?: Init<Value[Name]> | undefined };

/** The fields of a message by name, in the order of their numbers. */
export type Fields<Message> = {
  readonly [Name in keyof Message]-?: Field<Message[Name], NonNullable<Init<Message[Name]>>>;
};

/** A kind of message. Fields that it does not have are skipped. */
export class MessageType<Message> implements Layout<Message, Init<Message>> {
  readonly wire = WireType.LengthDelimited;
  readonly #fields: readonly (readonly [name: string, Field<unknown>])[];
  readonly #byNumber: ReadonlyMap<number, readonly [name: string, Field<unknown>]>;

  constructor(fields: Fields<Message>) {
    this.#fields = Object.entries(fields) as (readonly [string, Field<unknown>])[];
    this.#byNumber = new Map(this.#fields.map((entry) => [entry[1].number, entry]));
  }

  /** @throws RangeError if the bytes are not such a message */
  decode(bytes: Uint8Array): Message {
    const reader = new BinaryReader(bytes);
    return this.#readUntil(reader, reader.len);
  }

  encode(message: Init<Message>): Uint8Array {
    const writer = new BinaryWriter();
    this.#writeFields(writer, message);
    return writer.finish();
  }

  read(reader: BinaryReader): Message {
    const length = reader.uint32();
    return this.#readUntil(reader, reader.pos + length);
  }

  write(writer: BinaryWriter, message: Init<Message>): void {
    writer.fork();
    this.#writeFields(writer, message);
    writer.join();
  }

  #readUntil(reader: BinaryReader, end: number): Message {
    const message: Record<string, unknown> = {};
    for (const [name, field] of this.#fields) message[name] = field.absent();
    while (reader.pos < end) {
      const [number, wire] = reader.tag();
      const known = this.#byNumber.get(number);
      if (known === undefined) reader.skip(wire, number);
      else message[known[0]] = known[1].read(reader, wire, message[known[0]]);
    }
    if (reader.pos !== end) throw new RangeError("a message that ends inside a field");
    return message as Message;
  }

  #writeFields(writer: BinaryWriter, message: Init<Message>): void {
    const values = message as Readonly<Record<string, unknown>>;
    for (const [name, field] of this.#fields) {
      const value = values[name];
      if (value !== undefined) field.write(writer, value);
    }
  }
}
