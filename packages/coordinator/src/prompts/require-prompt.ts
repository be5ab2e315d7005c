import { requireChat } from "../conversations/require-chat.js";
import { checkCall } from "../generation/generate-call.js";
import type { Plan } from "../loading/kept-plan.js";
import type { Texts } from "../loading/prepare-model.js";
import { abortable } from "../offload/abortable.js";
import type { RequiredPrompt } from "../options/load-options.js";
import { isConversation, Prompts } from "./prompts.js";

/**
 * Refuses what `generate` would refuse, for a model whose ranks have not read anything yet. Waits for the tokenizer if
 * the model has one, and for a conversation also for the template.
 *
 * @param texts undefined if the model has no tokenizer
 * @throws as `generate` does; or the reason of `signal`, which ends the text thread
 */
export async function requirePrompt(
  { prompt, options = {} }: RequiredPrompt,
  { facts, directory }: Pick<Plan, "facts" | "directory">,
  texts: Texts | undefined,
  signal: AbortSignal | undefined,
): Promise<void> {
  const prompts = new Prompts(facts.encoder ?? facts, texts?.thread);
  const { templateVariables } = checkCall(options, facts, prompts).options;
  if (isConversation(prompt)) requireChat(directory);
  await texts?.isOpen;
  const encode = () => prompts.promptIdsOf(prompt, templateVariables);
  await (texts === undefined ? encode() : abortable(signal, texts.thread, encode));
}
