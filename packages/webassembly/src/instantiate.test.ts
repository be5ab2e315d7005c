import { pathToFileURL } from "node:url";
import { expect, it } from "vitest";
import { expectCode } from "../../../test/support/coded-error.js";
import { temporaryDirectory } from "../../../test/support/temporary-directory.js";
import { instantiate } from "./instantiate.js";
import { localMemory } from "./memory.js";

const memory = localMemory(1);

interface Exports {
  get(): number;
}

/** A module with `get(): i32`, whose body is these instructions. */
function moduleOf(...body: readonly number[]): Uint8Array {
  const code = [0, ...body, 0x0b];
  return Uint8Array.of(
    ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    // A type, () → i32; a function of that type; its export; its code.
    ...[1, 5, 1, 0x60, 0, 1, 0x7f],
    ...[3, 2, 1, 0],
    ...[7, 7, 1, 3, ...Buffer.from("get"), 0, 0],
    ...[10, 2 + code.length, 1, code.length, ...code],
  );
}

const constant = (value: number) => moduleOf(0x41, value);
/** A module with an unknown instruction. */
const unknown = moduleOf(0xff);

function fileUrl(bytes: Uint8Array): URL {
  return pathToFileURL(`${temporaryDirectory({ "kernels.wasm": bytes })}/kernels.wasm`);
}

it("uses the first file if the engine can run it", () => {
  expect(instantiate<Exports>(memory, fileUrl(constant(1)), fileUrl(constant(2))).get()).toBe(1);
});

it("uses the next file if the engine does not know the first one's instructions", () => {
  expect(instantiate<Exports>(memory, fileUrl(unknown), fileUrl(constant(2))).get()).toBe(2);
});

it("names a missing file", () => {
  const file = new URL("missing.wasm", fileUrl(constant(1)));
  expect(expectCode("RR_OPTION", () => instantiate(memory, file)).message).toContain(file.href);
});

it("reports if the engine can run none of them", () => {
  const files = [fileUrl(unknown), fileUrl(unknown)] as const;
  expect(expectCode("RR_OPTION", () => instantiate(memory, ...files)).message).toContain(files[1].href);
});
