import { RingrankError } from "@ringrank/errors";

/** @param directory the directory of a model without a chat template */
export function noChatTemplate(directory: string): RingrankError {
  return new RingrankError(
    "RR_NO_CHAT_TEMPLATE",
    `expected text or token ids: ${directory} has no chat_template.jinja, and no chat_template in ` +
      "tokenizer_config.json, so the model cannot take messages",
  );
}
