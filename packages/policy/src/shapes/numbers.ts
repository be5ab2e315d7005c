import type { DataType, TensorData } from "@ringrank/model";

/** Rounds or wraps a number to the values of an element of `type`. Infinity stays: see {@link Evaluated.contents}. */
export function toElement(type: DataType, value: number): number {
  if (type === "float32") return Math.fround(value);
  if (type === "bool") return value !== 0 ? 1 : 0;
  if (!Number.isFinite(value)) return value;
  switch (type) {
    case "int64":
    case "uint64":
      return boundInteger(Math.trunc(value));
    case "int32":
      return value | 0;
    case "uint32":
      return value >>> 0;
    case "int16":
      return (value << 16) >> 16;
    case "uint16":
      return value & 0xffff;
    case "int8":
      return (value << 24) >> 24;
    case "uint8":
      return value & 0xff;
    default:
      return value;
  }
}

/** The elements as numbers, 64-bit integers beyond ±(2⁵³ − 1) as ±Infinity. */
export function toNumbers(data: TensorData): number[] {
  const numbers = new Array<number>(data.length);
  for (let i = 0; i < data.length; i++) {
    const element = data[i]!;
    numbers[i] = typeof element === "bigint" ? boundInteger(Number(element)) : element;
  }
  return numbers;
}

export function isInteger(type: DataType): boolean {
  return type.startsWith("int") || type.startsWith("uint");
}

/** Whether an element is the largest integer of 32 or of 64 bits, which means "no end". */
export function isIntMax(element: number): boolean {
  return element === 2 ** 31 - 1 || element === Number.POSITIVE_INFINITY;
}

function boundInteger(value: number): number {
  // `+ 0` turns the −0 that truncation leaves into the 0 that integers have.
  return Number.isSafeInteger(value) ? value + 0 : value > 0 ? Infinity : -Infinity;
}
