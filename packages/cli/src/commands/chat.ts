import { type ModelFlags, modelOptions } from "../arguments/model-flags.js";
import { systemMessages } from "../arguments/system-messages.js";
import { converse } from "./converse.js";
import { load } from "./load.js";

export interface ChatFlags extends ModelFlags {
  readonly system?: string;
}

/**
 * `ringrank chat`: each line of standard input is a message of one conversation. Answers go to standard output,
 * everything else to standard error.
 */
export async function chat(path: string, flags: ChatFlags, signal: AbortSignal): Promise<void> {
  const { system, ...modelFlags } = flags;
  const { loading, generating } = await modelOptions(modelFlags);
  const messages = systemMessages(system);
  // Any first message would do: this refuses a template, an option or a system message that do not work.
  const requirePrompt = { prompt: [...messages, { role: "user", content: "?" }], options: generating };
  const model = await load(path, { ...loading, requirePrompt, signal });
  try {
    await converse(model, messages, generating, signal);
  } finally {
    await model.close();
  }
}
