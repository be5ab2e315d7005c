import { expect, it } from "vitest";
import { discard } from "./discard.js";

it("releases an array's memory at once, not when garbage is collected", () => {
  const bytes = 2 ** 26;
  const before = process.memoryUsage().arrayBuffers;
  const array = new Float32Array(bytes / 4);
  expect(process.memoryUsage().arrayBuffers - before).toBe(bytes);
  discard(array.buffer);
  expect(process.memoryUsage().arrayBuffers - before).toBe(0);
  expect(array.length).toBe(0);
});
