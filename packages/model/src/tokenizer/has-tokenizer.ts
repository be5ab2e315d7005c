import { join } from "node:path";
import { isListed } from "../files/is-listed.js";

/** Where a model directory's tokenizer would be. */
export function tokenizerFile(directory: string): string {
  return join(directory, "tokenizer.json");
}

/** Whether a model directory has a tokenizer, which `loadTokenizer` loads. */
export function hasTokenizer(directory: string): boolean {
  return isListed(tokenizerFile(directory));
}
