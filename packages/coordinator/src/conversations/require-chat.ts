import { RingrankError } from "@ringrank/errors";
import { hasChatTemplate, hasTokenizer } from "@ringrank/model/serving";
import { noChatTemplate } from "./no-chat-template.js";

/**
 * @param directory where the model's tokenizer and chat template would be
 * @throws RR_NO_TOKENIZER or RR_NO_CHAT_TEMPLATE where it has none; RR_FILE_FORMAT where the file of one cannot be read
 */
export function requireChat(directory: string): void {
  if (!hasTokenizer(directory)) {
    throw new RingrankError(
      "RR_NO_TOKENIZER",
      `expected token ids: ${directory} has no tokenizer.json, so the model cannot take messages`,
    );
  }
  if (!hasChatTemplate(directory)) throw noChatTemplate(directory);
}
