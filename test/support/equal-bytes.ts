import { expect } from "vitest";

/**
 * Typed arrays of one type with the same bytes are equal. Vitest compares element by element, with its whole machinery:
 * over a second for 50,000 elements. Whether others are equal, and how they differ, is still left to it.
 */
function haveEqualBytes(one: unknown, other: unknown): true | undefined {
  if (!ArrayBuffer.isView(one) || !ArrayBuffer.isView(other)) return undefined;
  if (one.constructor !== other.constructor || one.byteLength !== other.byteLength) return undefined;
  return bytesOf(one).equals(bytesOf(other)) || undefined;
}

function bytesOf({ buffer, byteOffset, byteLength }: ArrayBufferView): Buffer {
  return Buffer.from(buffer, byteOffset, byteLength);
}

expect.addEqualityTesters([haveEqualBytes]);
