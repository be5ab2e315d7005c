import { CompiledRules } from "./compiled-rules.js";
import { textField } from "./fields.js";
import type { Normalizer } from "./normalizer.js";

/** The most graphemes whose normal form is cached. */
const mostKnown = 10_000;

/**
 * SentencePiece's own normalization. As in Rust (`normalizers/precompiled.rs`), the rules are applied to a grapheme of
 * less than 6 bytes, and to each character of other graphemes.
 *
 * @throws Error if `precompiled_charsmap` has no rules
 */
export function precompiledOf(step: object): Normalizer {
  const rules = new CompiledRules(Buffer.from(textField(step, "precompiled_charsmap"), "base64"));
  const known = new Map<string, string>();
  const normalize = (grapheme: string): string => {
    let result = known.get(grapheme);
    if (result === undefined) {
      result = normalized(grapheme, rules);
      if (known.size < mostKnown) known.set(grapheme, result);
    }
    return result;
  };
  const changed = changedInAscii(normalize);
  const graphemes = new Intl.Segmenter("und", { granularity: "grapheme" });
  return (text) => {
    let [result, end] = ["", 0];
    const goOn = (to: number): void => {
      for (const { segment } of graphemes.segment(text.slice(end, to))) result += normalize(segment);
      end = to;
    };
    for (const [start, stop] of plainParts(text)) {
      goOn(start);
      result += text.slice(start, stop).replace(changed, normalize);
      end = stop;
    }
    goOn(text.length);
    return result;
  };
}

function normalized(grapheme: string, rules: CompiledRules): string {
  const bytes = Buffer.from(grapheme, "utf8");
  const whole = bytes.length < 6 ? rules.resultOf(bytes) : undefined;
  if (whole !== undefined) return whole;
  let result = "";
  for (const character of grapheme) result += rules.resultOf(Buffer.from(character, "utf8")) ?? character;
  return result;
}

/** Matches the ASCII characters with a rule; a line end of two characters is one grapheme. */
function changedInAscii(normalize: (grapheme: string) => string): RegExp {
  const characters = Array.from({ length: 128 }, (_, code) => String.fromCharCode(code));
  const escaped = characters
    .filter((character) => normalize(character) !== character)
    .map((character) => `\\x${character.charCodeAt(0).toString(16).padStart(2, "0")}`);
  return new RegExp(escaped.length === 0 ? "\\r\\n" : `\\r\\n|[${escaped.join("")}]`, "g");
}

/**
 * The parts of a text that are all ASCII, where the slow segmentation into graphemes is not needed. Their first and
 * last graphemes are excluded, since these may extend beyond the ASCII characters.
 */
function* plainParts(text: string): Generator<readonly [start: number, end: number]> {
  for (const { 0: run, index } of text.matchAll(/[\0-\x7f]{3,}/g)) {
    const start = index + (run.startsWith("\r\n") ? 2 : 1);
    const end = index + run.length - (run.endsWith("\r\n") ? 2 : 1);
    if (start < end) yield [start, end];
  }
}
