/** Lower case, character by character, as in Rust: a final sigma is treated like any other. */
export function lowercase(text: string): string {
  return text.replaceAll("Σ", "σ").toLowerCase();
}
