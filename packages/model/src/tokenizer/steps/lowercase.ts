/** Lower case, character by character, as Rust: a sigma at the end of a word is no other than within it. */
export function lowercase(text: string): string {
  return text.replaceAll("Σ", "σ").toLowerCase();
}
