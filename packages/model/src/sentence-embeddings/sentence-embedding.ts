import type { ConfigReader } from "../checkpoint/config-reader.js";
import { NotSupported } from "./not-supported.js";

/** Modules read and write a text's vector, unless their config says otherwise. */
export function requireSentenceEmbedding(module: string, config: ConfigReader | undefined): void {
  for (const field of ["module_input_name", "module_output_name"]) {
    const name = config?.optionalString(field) ?? "sentence_embedding";
    if (name === "sentence_embedding") continue;
    throw new NotSupported(
      `the module ${module} with "${field}": "${name}"; supported is "sentence_embedding"`,
    );
  }
}
