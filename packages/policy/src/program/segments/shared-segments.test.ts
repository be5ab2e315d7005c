import { expect, it, vi } from "vitest";
import { makeFloatSegment } from "./product-segments.js";
import { SharedSegments } from "./shared-segments.js";

it("a segment with the same description is created once", () => {
  const shared = new SharedSegments();
  const make = vi.fn(makeFloatSegment);
  const description = () => ({ sizes: new Map([["x", [1n, 2n]]]), data: Float32Array.of(1) });
  expect(shared.get(description(), make)).toBe(shared.get(description(), make));
  expect(make).toHaveBeenCalledTimes(1);
});

it("segments with different descriptions are one if their bytes are equal", () => {
  const shared = new SharedSegments();
  expect(shared.get({ sizes: [7, 13] }, makeFloatSegment)).toBe(
    shared.get({ sizes: [11, 17] }, makeFloatSegment),
  );
});

it("segments with different bytes are separate", () => {
  const shared = new SharedSegments();
  const made = makeFloatSegment();
  const other = { ...made, onnx: Uint8Array.of(1) };
  expect(shared.get("one", () => made)).toBe(made);
  expect(shared.get("other", () => other)).toBe(other);
});
