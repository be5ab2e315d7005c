import { pino } from "pino";
import { afterEach, expect, it, vi } from "vitest";
import { loggerOf, rankLogLevel } from "./logger.js";

afterEach(() => vi.unstubAllEnvs());

it("is silent unless the environment says otherwise", async () => {
  vi.stubEnv("RINGRANK_LOG", undefined);
  expect((await loggerOf(undefined)).level).toBe("silent");
});

it.each([
  ["debug", "debug"],
  ["silent", "silent"],
  ["1", "info"],
])("logs at the level in RINGRANK_LOG: %s is %s", async (value, level) => {
  vi.stubEnv("RINGRANK_LOG", value);
  expect((await loggerOf(undefined)).level).toBe(level);
});

it("is the caller's own if there is one, and ranks log at its level", async () => {
  const own = pino({ level: "warn" });
  expect(await loggerOf(own)).toBe(own);
  expect(rankLogLevel(own)).toBe("warn");
});

it("makes ranks log at info if the caller's level is a custom one", () => {
  expect(rankLogLevel(pino({ level: "verbose", customLevels: { verbose: 25 } }))).toBe("info");
});
