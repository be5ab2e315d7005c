import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { StopStrings } from "./stop-strings.js";

function feed(stops: readonly string[], pieces: readonly string[]): string {
  const strings = new StopStrings(stops);
  let out = "";
  for (const piece of pieces) {
    const { text, stopped } = strings.push(piece);
    out += text;
    if (stopped) return out;
  }
  return out + strings.flush();
}

describe("StopStrings", () => {
  it("passes text through where there are none", () => {
    expect(new StopStrings([]).push("hello")).toEqual({ text: "hello", stopped: false });
  });

  it("holds back only what may begin a stop string", () => {
    const strings = new StopStrings(["END"]);
    expect(strings.push("some E")).toEqual({ text: "some ", stopped: false });
    expect(strings.push("N")).toEqual({ text: "", stopped: false });
    expect(strings.push("TER")).toEqual({ text: "ENTER", stopped: false });
  });

  it("stops at the earliest of several", () => {
    expect(new StopStrings(["later", "now"]).push("it is now or later")).toEqual({
      text: "it is ",
      stopped: true,
    });
  });

  it("gives the text before the first stop string, however the text is cut", () => {
    const letters = fc.string({ unit: fc.constantFrom("a", "b"), maxLength: 12 });
    const stop = fc.string({ unit: fc.constantFrom("a", "b"), minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(fc.array(letters, { maxLength: 6 }), stop, (pieces, one) => {
        const whole = pieces.join("");
        const at = whole.indexOf(one);
        expect(feed([one], pieces)).toBe(at < 0 ? whole : whole.slice(0, at));
      }),
    );
  });
});
