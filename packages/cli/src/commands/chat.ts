import {
  type ChatMessage,
  type GeneratedToken,
  type GenerateOptions,
  isRingrankError,
  type Model,
  type RingrankError,
} from "@ringrank/coordinator";
import { type ModelFlags, modelOptions } from "../arguments/model-flags.js";
import { systemMessages } from "../arguments/system-messages.js";
import { exitCodeOf, printError } from "../errors.js";
import { exitCodes } from "../exit-codes.js";
import { Questions } from "../input/questions.js";
import { Stopwatch, turnFigures } from "../output/figures.js";
import { styled } from "../output/style.js";
import { writeGeneration } from "../output/write-generation.js";
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
    const interrupt = () => void process.emit("SIGINT", "SIGINT");
    const questions = new Questions({ input: process.stdin, output: process.stderr, interrupt, signal });
    for await (const question of questions) {
      messages.push({ role: "user", content: question });
      try {
        const content = await answer(model, messages, generating, signal, questions.answering());
        messages.push({ role: "assistant", content });
      } catch (error) {
        if (process.stdin.isTTY !== true || signal.aborted || !isRefusal(error)) throw error;
        printError(error, false);
        messages.pop();
      }
    }
    signal.throwIfAborted();
  } finally {
    await model.close();
  }
}

/** @returns the answer, as far as it came before `stop` was aborted */
async function answer(
  model: Model,
  messages: readonly ChatMessage[],
  options: GenerateOptions,
  signal: AbortSignal,
  stop: AbortSignal,
): Promise<string> {
  const stopwatch = new Stopwatch();
  const generation = model.generate(messages, { ...options, signal: AbortSignal.any([signal, stop]) });
  let answered = "";
  const onToken = ({ text }: GeneratedToken) => {
    stopwatch.token();
    answered += text;
  };
  try {
    await writeGeneration(generation, onToken, signal);
    process.stderr.write(
      `${styled(process.stderr, "dim", turnFigures(stopwatch, await generation.result))}\n`,
    );
  } catch (error) {
    if (signal.aborted || !stop.aborted) throw error;
  }
  return answered;
}

/** Whether a message cannot be answered, but others can. */
function isRefusal(error: unknown): error is RingrankError {
  return isRingrankError(error) && exitCodeOf(error) === exitCodes.usage;
}
