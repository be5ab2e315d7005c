import { inspect } from "node:util";
import { describe, expect, it } from "vitest";
import { isRingrankError, RingrankError } from "./ringrank-error.js";

describe("an error that crosses threads as data", () => {
  const cause = new RingrankError("RR_TIMEOUT", "rank 2 made no progress", {
    rank: 2,
    cause: new Error("why"),
  });
  const error = new RingrankError("RR_MODEL_FAILED", "the model has ended", { cause });
  const back = RingrankError.fromData(structuredClone(error.toData()));

  it("keeps code, message, rank and stack", () => {
    expect(back).toMatchObject({ code: "RR_MODEL_FAILED", message: error.message, stack: error.stack });
    expect(back.rank).toBeUndefined();
  });

  it("keeps the chain of causes, and where each was thrown", () => {
    const why = (error.cause as Error).cause as Error;
    expect(back.cause).toMatchObject({ code: "RR_TIMEOUT", rank: 2 });
    expect((back.cause as Error).cause).toMatchObject({ message: "why", stack: why.stack });
  });

  it("keeps the chain of causes, even after an error without a code", () => {
    const last = new RingrankError("RR_SHAPE", "ragged", { rank: 1 });
    const middle = new TypeError("in between", { cause: last });
    const { cause } = RingrankError.fromData(
      structuredClone(RingrankError.wrap(middle, "RR_RANK_FAILED").toData()),
    );
    expect(cause).toMatchObject({ message: "in between", cause: { code: "RR_SHAPE", rank: 1 } });
  });

  it("shows what a cause that is not an error contains", () => {
    for (const [cause, message] of [
      [{ status: 500 }, "{ status: 500 }"],
      [Object.create(null), "[Object: null prototype] {}"],
      [null, "null"],
      ["text", "text"],
    ]) {
      const { cause: kept } = RingrankError.fromData(
        new RingrankError("RR_SHAPE", "ragged", { cause }).toData(),
      );
      expect(kept).toMatchObject({ message });
    }
  });

  it.each<[string, object]>([
    ["an array, as a host's prepareStackTrace makes it", { stack: [] }],
    ["none, since a message is no text", { message: Object.create(null) }],
  ])("has no stack if there is %s", (_, fields) => {
    const { cause } = new RingrankError("RR_SHAPE", "ragged", {
      cause: Object.assign(new Error("why"), fields),
    }).toData();
    expect(cause).toEqual({ message: expect.any(String) });
  });

  it("is cut where its causes are circular", () => {
    const error: Error = new RingrankError("RR_RANK_FAILED", "round", { cause: new Error("and round") });
    (error.cause as Error).cause = error;
    expect(RingrankError.fromData((error as RingrankError).toData())).toMatchObject({
      message: "round",
      cause: { message: "and round", cause: { code: "RR_RANK_FAILED" } },
    });
  });

  it("is recognised by its kind", () => {
    expect(isRingrankError(back)).toBe(true);
    expect(isRingrankError(new Error("other"))).toBe(false);
    expect(isRingrankError({ code: "RR_TIMEOUT" })).toBe(false);
  });
});

describe("wrapping an error of other code", () => {
  it("keeps a RingrankError unchanged", () => {
    const error = new RingrankError("RR_SHAPE", "ragged");
    expect(RingrankError.wrap(error, "RR_RANK_FAILED")).toBe(error);
  });

  it("makes anything else the cause of a coded error", () => {
    const wrapped = RingrankError.wrap("a string", "RR_RANK_FAILED", { rank: 1 });
    expect(wrapped).toMatchObject({
      code: "RR_RANK_FAILED",
      rank: 1,
      message: "a string",
      cause: "a string",
    });
  });
});

describe("a printed error", () => {
  it("shows its rank if it has one, and no field without a value", () => {
    expect(inspect(new RingrankError("RR_TIMEOUT", "late", { rank: 0 }))).toMatch(/ rank: 0\b/);
    const error = new RingrankError("RR_MODEL_FAILED", "ended", {
      cause: new RingrankError("RR_CLOSED", "why"),
    });
    for (const shown of [
      error,
      RingrankError.fromData(error.toData()),
      new RingrankError("RR_SHAPE", "ragged"),
    ]) {
      expect(inspect(shown)).not.toContain("undefined");
    }
  });
});
