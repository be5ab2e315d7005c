import { expect, it } from "vitest";
import { type Call, describeCall, sameCall, writeCall } from "./call.js";
import { createGroup, maximumWorldSize } from "./group.js";
import { GroupMemory } from "./group-memory.js";

it.each<[Call, string]>([
  [
    { kind: "broadcast", type: "int32", length: 2 ** 31 - 1, root: 63 },
    "broadcast(int32[2147483647], root 63)",
  ],
  [
    { kind: "allReduce", algorithm: "two-shot", type: "float32", operation: "max", length: 0 },
    "allReduce(float32[0], max) by two-shot",
  ],
  [
    { kind: "allReduce", algorithm: "one-shot", type: "float32", operation: "rounded sum", length: 8 },
    "allReduce(float32[8], rounded sum) by one-shot",
  ],
])("a header contains the whole call, on each of the largest number of ranks", (call, text) => {
  const memory = new GroupMemory(createGroup({ worldSize: maximumWorldSize, windowBytes: 256 }));
  const last = maximumWorldSize - 1;
  writeCall(memory, last, 0, call);
  expect(describeCall(memory, 0, last)).toBe(text);
  expect(sameCall(memory, 0, last, last - 1)).toBe(false);
  writeCall(memory, last - 1, 0, call);
  expect(sameCall(memory, 0, last, last - 1)).toBe(true);
});
