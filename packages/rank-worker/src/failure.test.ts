import { RingrankError } from "@ringrank/errors";
import { expect, test } from "vitest";
import { rankFailure } from "./failure.js";

test("an error in a rank becomes its failure, with the rank and the cause", () => {
  const cause = new RingrankError("RR_MISSING_FILE", "no such file");
  expect(rankFailure(cause, 3)).toMatchObject({ code: "RR_RANK_FAILED", rank: 3, cause });
  expect(rankFailure(new TypeError("x is undefined"), 2)).toMatchObject({
    code: "RR_RANK_FAILED",
    message: "rank 2 failed: x is undefined",
    rank: 2,
    cause: { name: "TypeError", message: "x is undefined" },
  });
});

test.each([
  "RR_RANK_FAILED",
  "RR_RANK_DIED",
  "RR_TIMEOUT",
  "RR_MISMATCH",
  "RR_ABORTED",
  "RR_CLOSED",
] as const)("an error of the group keeps its code and rank: %s", (code) => {
  const echo = new RingrankError(code, "rank 1 is at fault, or the process ends", { rank: 1 });
  expect(rankFailure(echo, 0)).toBe(echo);
});
