import { expect, it } from "vitest";
import { discard } from "./discard.js";

it("releases an array's memory at once, not when garbage is collected", () => {
  const bytes = 2 ** 26;
  const array = new Float32Array(bytes / 4);
  const held = process.memoryUsage().arrayBuffers;
  discard(array.buffer);
  // A collection, which any allocation may cause, would release other arrays too.
  expect(held - process.memoryUsage().arrayBuffers).toBeGreaterThanOrEqual(bytes);
  expect(array.length).toBe(0);
});
