import { runInNewContext } from "node:vm";
import { RingrankError } from "@ringrank/errors";
import { type ChatTemplate, loadChatTemplate } from "@ringrank/model/chat-template";
import { noChatTemplate } from "./no-chat-template.js";
import { withinProcessorTime } from "./processor-time.js";
import { type Conversation, charactersOf, type WriteReply, type WriteRequest } from "./protocol.js";

/** By whether conversations have tools. */
const templates = new Map<boolean, ChatTemplate | undefined>();

// It ends by itself when the process that started it is gone.
process.on("message", (request: WriteRequest) => process.send?.(replyTo(request)));
// A time limit needs a thread. If there is none, the engine ends the process, which is not the template's fault.
runInNewContext("", {}, { timeout: 1000 });
process.send?.("begun");

function replyTo({ directory, conversation, milliseconds }: WriteRequest): WriteReply {
  try {
    return { text: withinProcessorTime(milliseconds, () => writtenBy(directory, conversation)) };
  } catch (error) {
    return { error: RingrankError.wrap(error, "RR_FILE_FORMAT").toData() };
  }
}

function writtenBy(directory: string, conversation: Conversation): string {
  const { messages, variables } = conversation;
  const withTools = (variables.tools ?? null) !== null;
  if (!templates.has(withTools)) templates.set(withTools, loadChatTemplate(directory, withTools));
  const template = templates.get(withTools);
  if (template === undefined) throw noChatTemplate(directory);
  const text = template.render(messages, variables);
  const most = mostCharacters(conversation);
  if (text.length <= most) return text;
  throw new RingrankError(
    "RR_FILE_FORMAT",
    `the model's chat template renders the messages as ${text.length} characters; at most ${most} make sense. ` +
      "Do not trust the model, or pass text in the format that the model was trained on",
  );
}

/** A template's own text is part of it (1 MiB at most), and it writes each message about once. */
function mostCharacters(conversation: Conversation): number {
  return 2 ** 20 + 8 * charactersOf(conversation);
}
