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

/** The definition: the text grows letter by letter until it ends with a stop string. */
function beforeFirstStop(whole: string, stops: readonly string[]): string {
  for (let end = 1; end <= whole.length; end++) {
    const ending = stops.filter((stop) => whole.slice(0, end).endsWith(stop));
    if (ending.length > 0) return whole.slice(0, end - Math.max(...ending.map(({ length }) => length)));
  }
  return whole;
}

describe("StopStrings", () => {
  it("passes text through if there are none", () => {
    expect(new StopStrings([]).push("hello")).toEqual({ text: "hello", stopped: false });
  });

  it("only holds back what may be the start of a stop string", () => {
    const strings = new StopStrings(["END"]);
    expect(strings.push("some E")).toEqual({ text: "some ", stopped: false });
    expect(strings.push("N")).toEqual({ text: "", stopped: false });
    expect(strings.push("TER")).toEqual({ text: "ENTER", stopped: false });
  });

  it("passes on what only occurs inside a stop string", () => {
    expect(new StopStrings(["END"]).push("an N")).toEqual({ text: "an N", stopped: false });
  });

  it("holds back as much as may be its start, even if less may be, too", () => {
    expect(new StopStrings(["aab"]).push("aa")).toEqual({ text: "", stopped: false });
  });

  it("stops at the earliest of several", () => {
    expect(new StopStrings(["later", "now"]).push("it is now or later")).toEqual({
      text: "it is ",
      stopped: true,
    });
  });

  it.each([
    ["inside another that is only complete later", ["abc", "b"], "xa"],
    ["that ends with another, and starts before it", ["b", "ab"], "x"],
  ])("stops at one %s, even if both arrive at once", (_, stops, text) => {
    expect(feed(stops, ["xabcd"])).toBe(text);
    expect(feed(stops, [..."xabcd"])).toBe(text);
  });

  it("yields the text before the first complete stop string, however the text is divided", () => {
    const letters = (minLength: number, maxLength: number) =>
      fc.string({ unit: fc.constantFrom("a", "b", "😀"), minLength, maxLength });
    const stops = fc.array(letters(1, 4), { minLength: 1, maxLength: 3 });
    fc.assert(
      fc.property(fc.array(letters(0, 12), { maxLength: 6 }), stops, (pieces, stops) => {
        const whole = pieces.join("");
        expect(feed(stops, pieces)).toBe(beforeFirstStop(whole, stops));
      }),
    );
  });
});
