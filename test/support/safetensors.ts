import { Buffer } from "node:buffer";

/** The bytes of a safetensors file: `header`, either verbatim or an object to be written as JSON, then `payload`. */
export function safetensorsFile(header: string | object, payload: Uint8Array = new Uint8Array()): Uint8Array {
  const json = Buffer.from(typeof header === "string" ? header : JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(json.length));
  return Buffer.concat([length, json, payload]);
}

/** A safetensors file with float32 tensors of zeros, by name. */
export function zeroTensors(shapes: Readonly<Record<string, readonly number[]>>): Uint8Array {
  let end = 0;
  const header = Object.entries(shapes).map(([name, shape]) => {
    const begin = end;
    end += shape.reduce((size, dim) => size * dim, 4);
    return [name, { dtype: "F32", shape, data_offsets: [begin, end] }];
  });
  return safetensorsFile(Object.fromEntries(header), new Uint8Array(end));
}
