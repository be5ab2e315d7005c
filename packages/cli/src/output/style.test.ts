import { afterEach, describe, expect, test, vi } from "vitest";
import { styled, withBoldHeader } from "./style.js";

const terminal = { isTTY: true };
const file = { isTTY: undefined };

describe("styled", () => {
  afterEach(() => vi.unstubAllEnvs());

  test("colours text on a terminal", () => {
    vi.stubEnv("NO_COLOR", undefined);
    vi.stubEnv("TERM", "xterm");
    expect(styled(terminal, "red", "RR_RANKS")).toBe("\u001b[31mRR_RANKS\u001b[0m");
  });

  test("does not change text anywhere else", () => {
    expect(styled(file, "red", "RR_RANKS")).toBe("RR_RANKS");
  });

  test("honours NO_COLOR, but not an empty one", () => {
    vi.stubEnv("TERM", "xterm");
    vi.stubEnv("NO_COLOR", "1");
    expect(styled(terminal, "dim", "a")).toBe("a");
    vi.stubEnv("NO_COLOR", "");
    expect(styled(terminal, "dim", "a")).toBe("\u001b[2ma\u001b[0m");
  });

  test("sends no escape sequences to a dumb terminal", () => {
    vi.stubEnv("NO_COLOR", undefined);
    vi.stubEnv("TERM", "dumb");
    expect(styled(terminal, "bold", "a")).toBe("a");
  });

  test("makes a table's header bold, but not its rows", () => {
    vi.stubEnv("NO_COLOR", undefined);
    vi.stubEnv("TERM", "xterm");
    expect(withBoldHeader(terminal, "factor\n4 heads\n")).toBe("\u001b[1mfactor\u001b[0m\n4 heads\n");
  });
});
