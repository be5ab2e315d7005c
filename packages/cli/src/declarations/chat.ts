import { Argument, type Command } from "commander";
import { parseNumber } from "../arguments/numbers.js";
import { type ChatFlags, chat } from "../commands/chat.js";
import { exitCodesHelp } from "../exit-codes.js";
import { addLoadOptions, addSamplingOptions } from "./model-options.js";
import * as shared from "./shared-options.js";

const chatExamples = `
Examples:
  $ ringrank chat path/to/chat-model --precision int4
  $ ringrank chat path/to/chat-model --ranks 4 --system "Speak in verse."
  $ ringrank chat path/to/chat-model < questions.txt > answers.txt

Each line is a message; the model's chat template formats it. The conversation ends with the input (Ctrl-D). Ctrl-C
ends an answer, whose beginning the conversation keeps; otherwise it ends the command.
Answers go to standard output, everything else to standard error.
${exitCodesHelp}`;

const model = new Argument("<model>", shared.model.description);

/** Declares `ringrank chat`. */
export function declareChat(program: Command, signal: AbortSignal): void {
  const command = program
    .command("chat")
    .description("Load a model on N ranks and talk with it.")
    .addArgument(model)
    .addOption(shared.dtype)
    .addOption(shared.ranks)
    .option("--system <text>", "a system message before the first one")
    .addOption(shared.templateVariables())
    .option(
      "--prefix-cache-tokens <count>",
      "most tokens to keep in the cache, so that each message is only computed once",
      parseNumber,
      32_768,
    );
  addLoadOptions(addSamplingOptions(command))
    .addHelpText("after", chatExamples)
    .action((path: string, flags: ChatFlags) => chat(path, flags, signal));
}
