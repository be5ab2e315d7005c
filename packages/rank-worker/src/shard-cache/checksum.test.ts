import { closeSync, openSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { temporaryDirectory } from "../../../../test/support/temporary-directory.js";
import { Checksum, checksumOf } from "./checksum.js";
import { plainFletcher4 } from "./plain-fletcher.js";

/** Bytes without a simple pattern. */
const someBytes = (length: number) => Uint8Array.from({ length }, (_, i) => 1000 * Math.sin(i * i + i));

/** The definition, in integers. */
function plainChecksum(bytes: Uint8Array): string {
  const padded = new Uint8Array(Math.ceil(bytes.length / 16) * 16);
  padded.set(bytes);
  const sums = new BigUint64Array(16);
  for (const [at, word] of new Uint32Array(padded.buffer).entries()) {
    let term = BigInt(word);
    for (let sum = at % 4; sum < 16; sum += 4) {
      sums[sum]! += term;
      term = sums[sum]!;
    }
  }
  return Buffer.from(sums.buffer).toString("hex");
}

test.each([0, 1, 15, 16, 17, 1000, (1 << 18) + 5])(
  "of %d bytes, it consists of four Fletcher sums for each of four lanes",
  (length) => expect(checksumOf(someBytes(length))).toBe(plainChecksum(someBytes(length))),
);

test("sums that exceed 64 bits wrap around", () => {
  const bytes = new Uint8Array(1 << 18).fill(0xff);
  expect(checksumOf(bytes)).toBe(plainChecksum(bytes));
});

test("plain code computes the same without memory for the kernel, including sums that wrap around", () => {
  for (const bytes of [someBytes(100_000), new Uint8Array(1 << 18).fill(0xff)]) {
    const sums = new Int32Array(32);
    for (const from of [0, 4096]) {
      const end = from === 0 ? 4096 : bytes.length;
      plainFletcher4(sums, new Int32Array(bytes.buffer, from, (end - from) / 4));
    }
    expect(Buffer.from(sums.buffer).toString("hex")).toBe(plainChecksum(bytes));
  }
});

test("pieces have the same checksum as the whole, even if several checksums alternate", () => {
  const bytes = someBytes(100_003);
  const [one, other] = [new Checksum(), new Checksum()];
  for (let from = 0, length = 1; from < bytes.length; from += length, length = (length * 7) % 4099) {
    one.update(bytes.subarray(from, from + length));
    other.update(bytes.subarray(from, from + length).toReversed());
  }
  expect(one.digest()).toBe(checksumOf(bytes));
  expect(other.digest()).not.toBe(checksumOf(bytes));
});

test("a file has the same checksum as its bytes", () => {
  const bytes = someBytes((1 << 18) + 333);
  const descriptor = openSync(join(temporaryDirectory({ file: bytes }), "file"), "r");
  const checksum = new Checksum();
  checksum.updateFrom(descriptor);
  closeSync(descriptor);
  expect(checksum.digest()).toBe(checksumOf(bytes));
});

test.each([
  [
    "one bit changes",
    (bytes: Uint8Array) => {
      bytes[777]! ^= 64;
    },
  ],
  [
    "two blocks are swapped",
    (bytes: Uint8Array) => {
      const first = bytes.slice(0, 4096);
      bytes.copyWithin(0, 4096, 8192);
      bytes.set(first, 4096);
    },
  ],
  ["a block becomes zeros", (bytes: Uint8Array) => void bytes.fill(0, 4096, 8192)],
  [
    "the highest bits of two words change",
    (bytes: Uint8Array) => {
      bytes[3]! ^= 128;
      bytes[35]! ^= 128;
    },
  ],
])("it changes if %s", (_, damage) => {
  const bytes = someBytes(16_384);
  const before = checksumOf(bytes);
  damage(bytes);
  expect(checksumOf(bytes)).not.toBe(before);
});
