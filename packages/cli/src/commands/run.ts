import type { GenerateOptions, Model, Prompt } from "@ringrank/coordinator";
import { modelFrom } from "../arguments/model.js";
import { type ModelFlags, modelOptions } from "../arguments/model-flags.js";
import { systemMessages } from "../arguments/system-messages.js";
import { figures, Stopwatch } from "../output/figures.js";
import { styled, withBoldHeader } from "../output/style.js";
import { writeGeneration } from "../output/write-generation.js";
import { load } from "./load.js";

export interface RunFlags extends ModelFlags, Pick<GenerateOptions, "decoderPrompt"> {
  readonly demo?: boolean;
  readonly prompt?: string;
  readonly chat?: boolean;
  readonly system?: string;
}

/** `ringrank run`: the generated text on standard output, everything else on standard error. */
export async function run(
  directory: string | undefined,
  flags: RunFlags,
  signal: AbortSignal,
): Promise<void> {
  const { demo, prompt: text = defaultPrompt(demo), chat, system, decoderPrompt, ...modelFlags } = flags;
  const path = modelFrom(directory, demo);
  const { loading, generating } = await modelOptions(modelFlags);
  const options = { ...generating, decoderPrompt, signal };
  const isChat = chat === true || (system ?? generating.templateVariables) !== undefined;
  const prompt = isChat ? [...systemMessages(system), { role: "user", content: text }] : text;
  const model = await load(path, { ...loading, requirePrompt: { prompt, options }, signal });
  try {
    process.stderr.write(`\n${withBoldHeader(process.stderr, model.policy.table({ short: true }))}\n\n`);
    await stream(model, prompt, isChat ? `${text}\n` : text, options);
  } finally {
    await model.close();
  }
}

function defaultPrompt(demo: boolean | undefined): string {
  return demo === true ? "ROMEO:\n" : "Once upon a time";
}

/**
 * Streams the continuation of a prompt to standard output, and its figures to standard error, where unfinished lines
 * are ended.
 *
 * @param echo the prompt, to be shown before the text
 */
async function stream(
  model: Model,
  prompt: Prompt,
  echo: string,
  options: GenerateOptions & { readonly signal: AbortSignal },
): Promise<void> {
  process.stderr.write(styled(process.stderr, "dim", echo));
  const stopwatch = new Stopwatch();
  const generation = model.generate(prompt, options);
  try {
    await writeGeneration(generation, () => stopwatch.token(), options.signal);
  } catch (error) {
    if (!echo.endsWith("\n")) process.stderr.write("\n");
    throw error;
  }
  const bytesPerRank = model.memory().map(({ bytesInMemory }) => bytesInMemory);
  process.stderr.write(`\n${figures(stopwatch, await generation.result, bytesPerRank)}\n`);
}
