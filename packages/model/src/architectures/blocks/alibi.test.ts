import { expect, it } from "vitest";
import { alibiSlopes } from "./alibi.js";

it("halves the slope from head to head where there are eight", () => {
  expect(alibiSlopes(8)).toEqual([1 / 2, 1 / 4, 1 / 8, 1 / 16, 1 / 32, 1 / 64, 1 / 128, 1 / 256]);
});

it("continues with every other slope of the next power of two where the heads are none", () => {
  const sixteen = alibiSlopes(16);
  expect(alibiSlopes(12)).toEqual([...alibiSlopes(8), sixteen[0], sixteen[2], sixteen[4], sixteen[6]]);
});
