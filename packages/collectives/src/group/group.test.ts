import { RingrankError } from "@ringrank/errors";
import { describe, expect, it } from "vitest";
import { createGroup, type GroupHandle, type GroupOptions } from "./group.js";
import { GroupMemory } from "./group-memory.js";
import { joinGroup } from "./join-group.js";
import { poison, poisonCause } from "./poison.js";

const codeOf = (call: () => unknown) => {
  try {
    call();
  } catch (error) {
    return (error as RingrankError).code;
  }
  return undefined;
};

describe("createGroup", () => {
  it("allocates shared memory that cannot grow", () => {
    const { buffer } = createGroup({ worldSize: 2 }).memory;
    expect(buffer).toBeInstanceOf(SharedArrayBuffer);
    expect(buffer).toHaveProperty("growable", false);
  });

  const refused: [string, GroupOptions, string][] = [
    ["no ranks", { worldSize: 0 }, "RR_RANKS"],
    ["a fractional world size", { worldSize: 1.5 }, "RR_RANKS"],
    ["65 ranks", { worldSize: 65 }, "RR_RANKS"],
    ["a stepTimeoutMs below 100", { worldSize: 2, stepTimeoutMs: 99 }, "RR_OPTION"],
    ["a stepTimeoutMs that is not a number", { worldSize: 2, stepTimeoutMs: Number.NaN }, "RR_OPTION"],
    ["windows below 256 bytes", { worldSize: 2, windowBytes: 192 }, "RR_OPTION"],
    ["windows that split a cache line", { worldSize: 2, windowBytes: 1000 }, "RR_OPTION"],
    ["an unknown wire", { worldSize: 2, wire: "float8" as never }, "RR_OPTION"],
    ["an unknown option", { worldSize: 2, stepTimeout: 500 } as GroupOptions, "RR_OPTION"],
    ["windows above 16 MiB", { worldSize: 2, windowBytes: 2 ** 25 }, "RR_OPTION"],
    ["more windows than a memory of 4 GiB can have", { worldSize: 64, windowBytes: 2 ** 24 }, "RR_OPTION"],
  ];
  it.each(refused)("refuses %s", (_, options, code) => {
    expect(codeOf(() => createGroup(options))).toBe(code);
  });

  it("accepts an infinite stepTimeoutMs", () => {
    const { stepTimeoutMs } = createGroup({ worldSize: 2, stepTimeoutMs: Number.POSITIVE_INFINITY });
    expect(stepTimeoutMs).toBe(Number.POSITIVE_INFINITY);
  });
});

describe("joinGroup", () => {
  it.each([-1, 2, 0.5, Number.NaN])("refuses rank %d of 2", (rank) => {
    expect(codeOf(() => joinGroup(createGroup({ worldSize: 2 }), rank))).toBe("RR_OPTION");
  });

  it("refuses a rank that has already been joined", () => {
    const group = createGroup({ worldSize: 2 });
    joinGroup(group, 1);
    expect(codeOf(() => joinGroup(group, 1))).toBe("RR_OPTION");
  });

  it("refuses an unknown algorithm", () => {
    const options = { algorithm: "tree" as never };
    expect(codeOf(() => joinGroup(createGroup({ worldSize: 1 }), 0, options))).toBe("RR_OPTION");
  });

  it.each(["ring", "two-shot"] as const)(
    "refuses %s if the wire rounds, since it would do so twice",
    (algorithm) => {
      const group = createGroup({ worldSize: 2, wire: "int8" });
      expect(codeOf(() => joinGroup(group, 0, { algorithm }))).toBe("RR_OPTION");
      joinGroup(group, 0, { algorithm: "one-shot" });
    },
  );

  it("refuses an unknown option", () => {
    const options = { algoritm: "ring" } as object;
    expect(codeOf(() => joinGroup(createGroup({ worldSize: 1 }), 0, options))).toBe("RR_OPTION");
  });

  it("refuses anything but a handle", () => {
    const forged = { ...createGroup({ worldSize: 2 }), worldSize: 64 };
    expect(codeOf(() => joinGroup(forged, 0))).toBe("RR_OPTION");
    expect(codeOf(() => joinGroup({} as never, 0))).toBe("RR_OPTION");
  });
});

describe("poison", () => {
  const error = (message: string) => new RingrankError("RR_RANK_FAILED", message, { rank: 1 });

  it("has no cause while the group is intact", () => {
    expect(poisonCause(createGroup({ worldSize: 2 }))).toBeUndefined();
  });

  it("keeps the first cause, whoever is second", () => {
    const group = createGroup({ worldSize: 1 });
    const comm = joinGroup(group, 0);
    const first = error("first");
    poison(group, first);
    poison(group, error("second"));
    comm.poison(new RingrankError("RR_TYPE", "third"));
    expect(poisonCause(group)).toEqual(first.toData());
    expect(() => comm.barrier()).toThrow("first");
  });

  it("carries code, rank, message and cause", () => {
    const group = createGroup({ worldSize: 1 });
    const cause = new TypeError("wörld");
    const original = new RingrankError("RR_SHAPE", "hellø", { rank: 0, cause });
    joinGroup(group, 0).poison(original);
    expect(poisonCause(group)).toEqual(original.toData());
  });

  it("accepts an error of any class as the cause", () => {
    const group = createGroup({ worldSize: 1 });
    poison(group, new TypeError("boom") as never);
    expect(poisonCause(group)).toMatchObject({
      code: "RR_RANK_FAILED",
      message: "boom",
      cause: { message: "boom" },
    });
  });

  /** Everything after the slot of rank 0: the host's slot, blocks and windows. */
  const behindSlot = (group: GroupHandle): Int32Array => {
    const { words, layout } = new GroupMemory(group);
    return words.subarray(layout.message(1) / 4);
  };

  it.each(["x", "\u0001", "ü"])(
    "truncates a message of %j that is too long for its slot, and keeps code and rank",
    (character) => {
      const group = createGroup({ worldSize: 1 });
      joinGroup(group, 0).poison(error(character.repeat(100_000)));
      const kept = poisonCause(group);
      expect(kept).toMatchObject({ code: "RR_RANK_FAILED", rank: 1 });
      expect(kept?.message).toMatch(new RegExp(`^${character}{600,}$`));
      expect(behindSlot(group).some((word) => word !== 0)).toBe(false);
    },
  );

  it("omits stacks before causes if not everything fits", () => {
    const group = createGroup({ worldSize: 1 });
    const cause = new Error("why");
    cause.stack = "a line of a stack\n".repeat(1000);
    poison(group, new RingrankError("RR_SHAPE", "what", { cause }));
    expect(poisonCause(group)).toMatchObject({
      code: "RR_SHAPE",
      message: "what",
      cause: { message: "why" },
    });
  });

  it("omits a cause that does not fit before it truncates the message", () => {
    const group = createGroup({ worldSize: 1 });
    const message = "what ".repeat(300);
    poison(group, new RingrankError("RR_SHAPE", message, { cause: new Error("why ".repeat(2000)) }));
    expect(poisonCause(group)).toEqual({ code: "RR_SHAPE", message });
  });

  it("writes no message beyond its slot, even if it is only a few bytes too long", () => {
    for (let length = 3900; length < 4100; length++) {
      const group = createGroup({ worldSize: 1, windowBytes: 256 });
      joinGroup(group, 0).poison(error("x".repeat(length)));
      expect(behindSlot(group).some((word) => word !== 0)).toBe(false);
    }
  });
});
