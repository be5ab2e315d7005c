import { hasChatTemplate, hasTokenizer } from "@ringrank/model/serving";
import { noTokenizer } from "../prompts/no-tokenizer.js";
import { noChatTemplate } from "./no-chat-template.js";

/**
 * @param directory where the model's tokenizer and chat template would be
 * @throws RR_NO_TOKENIZER or RR_NO_CHAT_TEMPLATE if it has none; RR_FILE_FORMAT if one of their files cannot be read
 */
export function requireChat(directory: string): void {
  if (!hasTokenizer(directory)) throw noTokenizer("messages");
  if (!hasChatTemplate(directory)) throw noChatTemplate(directory);
}
