import {
  type ChatMessage,
  type GeneratedToken,
  type GenerateOptions,
  isRingrankError,
  type Model,
  type RingrankError,
} from "@ringrank/coordinator";
import { exitCodeOf, printError } from "../errors.js";
import { exitCodes } from "../exit-codes.js";
import { Questions } from "../input/questions.js";
import { Stopwatch, turnFigures } from "../output/figures.js";
import { styled } from "../output/style.js";
import { writeGeneration } from "../output/write-generation.js";

/**
 * Answers each line of standard input as the next message of one conversation, up to its end.
 *
 * @param beginning messages before the first one
 */
export async function converse(
  model: Pick<Model, "generate">,
  beginning: readonly ChatMessage[],
  options: GenerateOptions,
  signal: AbortSignal,
): Promise<void> {
  const messages = [...beginning];
  const interrupt = () => void process.emit("SIGINT", "SIGINT");
  const questions = new Questions({ input: process.stdin, output: process.stderr, interrupt, signal });
  for await (const { text, stop } of questions) {
    messages.push({ role: "user", content: text });
    try {
      const content = await answer(model, messages, options, signal, stop);
      if (content === "" && stop.aborted) messages.pop();
      else messages.push({ role: "assistant", content });
    } catch (error) {
      if (process.stdin.isTTY !== true || !isRefusal(error)) throw error;
      printError(error, false);
      messages.pop();
    }
  }
  signal.throwIfAborted();
}

/** @returns the answer, as far as it came before `stop` was aborted */
async function answer(
  model: Pick<Model, "generate">,
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
    if (error !== stop.reason) throw error;
  }
  return answered;
}

/** Whether a message cannot be answered, but others can. */
function isRefusal(error: unknown): error is RingrankError {
  return isRingrankError(error) && exitCodeOf(error) === exitCodes.usage;
}
