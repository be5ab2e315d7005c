import { RingrankError } from "@ringrank/errors";
import { expect, test } from "vitest";
import { rankFailure } from "./failure.js";

test("what a rank throws becomes its failure, with the rank and the cause", () => {
  const cause = new RingrankError("RR_MISSING_FILE", "no such file");
  expect(rankFailure(cause, 3)).toMatchObject({ code: "RR_RANK_FAILED", rank: 3, cause });
  expect(rankFailure(new TypeError("x is undefined"), 2)).toMatchObject({
    code: "RR_RANK_FAILED",
    rank: 2,
    cause: { message: "x is undefined" },
  });
});

test("what comes from the group keeps its code and rank", () => {
  const echo = new RingrankError("RR_TIMEOUT", "rank 1 made no progress", { rank: 1 });
  expect(rankFailure(echo, 0)).toBe(echo);
});
