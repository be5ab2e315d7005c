import type { TextStep, TokenizerJson } from "./tokenizer-json.js";

/** The same tokenizer, which makes texts lower case first, unless one of its steps does. */
export function inLowerCase<Json extends Pick<TokenizerJson, "normalizer">>(json: Json): Json {
  const { normalizer } = json;
  const steps: readonly TextStep[] = normalizer?.normalizers ?? (normalizer ? [normalizer] : []);
  if (steps.some(({ type }) => type === "Lowercase")) return json;
  return { ...json, normalizer: { type: "Sequence", normalizers: [{ type: "Lowercase" }, ...steps] } };
}
