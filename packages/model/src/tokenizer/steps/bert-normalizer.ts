import { fieldOf, flagField } from "./fields.js";
import { lowercase } from "./lowercase.js";
import type { Normalizer } from "./normalizer.js";
import { space } from "./pattern.js";

/** Control, unassigned, private and broken characters; tabs and line ends count as spaces. */
const control = /(?![\t\n\r])[\0\ufffd\p{Cc}\p{Cf}\p{Co}\p{Cn}\p{Cs}]/gu;
const spaces = new RegExp(space, "gu");

/** The blocks that the original BERT considers Chinese, including its gap from 2B820 to 2B91F. */
const chinese =
  /[\u4e00-\u9fff\u3400-\u4dbf\u{20000}-\u{2a6df}\u{2a700}-\u{2b73f}\u{2b740}-\u{2b81f}\u{2b920}-\u{2ceaf}\uf900-\ufaff\u{2f800}-\u{2fa1f}]/gu;

/** `normalizers/bert.rs` of https://github.com/huggingface/tokenizers. */
export function bertNormalizerOf(step: object): Normalizer {
  const lowers = flagField(step, "lowercase", true);
  const steps: Normalizer[] = [];
  if (flagField(step, "clean_text", true))
    steps.push((text) => text.replace(control, "").replace(spaces, " "));
  if (flagField(step, "handle_chinese_chars", true)) steps.push((text) => text.replace(chinese, " $& "));
  if (fieldOf(step, "strip_accents") == null ? lowers : flagField(step, "strip_accents", lowers)) {
    steps.push((text) => text.normalize("NFD").replace(/\p{Mn}/gu, ""));
  }
  if (lowers) steps.push(lowercase);
  return (text) => steps.reduce((result, normalize) => normalize(result), text);
}
