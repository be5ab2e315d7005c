import type { DecoderStep } from "./tokenizer-json.js";

/**
 * A decoder in which a Metaspace that prepends nothing is the Replace that it does: the tokenizer library takes a space
 * from the beginning of a text whatever `prepend_scheme` says.
 */
export function withPlainMetaspace(step: DecoderStep | null | undefined): DecoderStep | null {
  if (step == null) return null;
  if (step.decoders !== undefined) {
    return { ...step, decoders: step.decoders.map(withPlainMetaspace).filter((each) => each !== null) };
  }
  if (step.type !== "Metaspace" || step.prepend_scheme !== "never") return step;
  return { type: "Replace", pattern: { String: step.replacement ?? "▁" }, content: " " };
}
