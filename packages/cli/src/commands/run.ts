import { once } from "node:events";
import {
  type GenerateOptions,
  type LoadOptions,
  loadModel,
  type Model,
  type Prompt,
} from "@ringrank/coordinator";
import { modelFrom } from "../arguments/model.js";
import { readPolicyFile } from "../arguments/policy-file.js";
import { printWarning } from "../errors.js";
import { figures, Stopwatch } from "../output/figures.js";
import { LoadProgress } from "../output/load-progress.js";
import { print } from "../output/print.js";
import { styled, withBoldHeader } from "../output/style.js";

type LoadFlags = Omit<
  LoadOptions,
  | "ranks"
  | "policy"
  | "signal"
  | "requireGenerate"
  | "requireText"
  | "requireChat"
  | "requirePrompt"
  | "onWarning"
  | "onProgress"
  | "stepTimeoutMs"
  | "cacheDirectory"
  | "logger"
  | "workerUrl"
>;

export interface RunFlags extends LoadFlags, Omit<GenerateOptions, "signal" | "logprobs"> {
  readonly demo?: boolean;
  readonly ranks: number;
  readonly prompt?: string;
  readonly chat?: boolean;
  readonly system?: string;
  /** A file. */
  readonly policy?: string;
}

/** `ringrank run`: the generated text on standard output, everything else on standard error. */
export async function run(
  directory: string | undefined,
  flags: RunFlags,
  signal: AbortSignal,
): Promise<void> {
  const {
    demo,
    prompt: text = defaultPrompt(demo),
    chat,
    system,
    policy: policyFile,
    objective,
    maxNewTokens,
    temperature,
    topK,
    topP,
    minP,
    repetitionPenalty,
    noRepeatNgramSize,
    seed,
    stop,
    ignoreEos,
    decoderPrompt,
    ...loadFlags
  } = flags;
  const sampling = { temperature, topK, topP, minP, repetitionPenalty, noRepeatNgramSize, seed };
  const generateOptions = { maxNewTokens, ...sampling, stop, ignoreEos, decoderPrompt, signal };
  const isChat = chat === true || system !== undefined;
  const path = modelFrom(directory, demo);
  // A policy has already been decided, so the flag's default does not apply.
  const division = policyFile === undefined ? { objective } : { policy: await readPolicyFile(policyFile) };
  const prompt = isChat ? conversation(text, system) : text;
  const requirePrompt = { prompt, options: generateOptions };
  const model = await load(path, { ...loadFlags, ...division, requirePrompt, signal });
  try {
    process.stderr.write(`\n${withBoldHeader(process.stderr, model.policy.table({ short: true }))}\n\n`);
    await stream(model, prompt, isChat ? `${text}\n` : text, generateOptions);
  } finally {
    await model.close();
  }
}

function defaultPrompt(demo: boolean | undefined): string {
  return demo === true ? "ROMEO:\n" : "Once upon a time";
}

function conversation(question: string, system: string | undefined): Prompt {
  const user = { role: "user", content: question };
  return system === undefined ? [user] : [{ role: "system", content: system }, user];
}

/** Loads a model, and shows progress on standard error. */
async function load(path: string, options: LoadOptions & { readonly ranks: number }): Promise<Model> {
  const progress = new LoadProgress(process.stderr, options.ranks);
  try {
    return await loadModel(path, {
      ...options,
      onProgress: (report) => progress.report(report),
      onWarning: (warning) => {
        progress.clear();
        printWarning(warning);
      },
    });
  } catch (error) {
    progress.clear();
    throw error;
  }
}

/**
 * Streams the continuation of a prompt to standard output. Whatever happens, an unfinished line on either stream is
 * ended.
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
  let hasText = false;
  try {
    for await (const { text } of generation) {
      stopwatch.token();
      hasText ||= text !== "";
      if (!process.stdout.write(text)) await once(process.stdout, "drain", { signal: options.signal });
    }
  } catch (error) {
    if (hasText) process.stdout.write("\n");
    if (!echo.endsWith("\n")) process.stderr.write("\n");
    throw error;
  }
  // This also waits for the text: nothing else would report that the last token could not be written.
  if (hasText) await print("\n");
  const bytesPerRank = model.memory().map(({ bytesKept }) => bytesKept);
  process.stderr.write(`\n${figures(stopwatch, await generation.result, bytesPerRank)}\n`);
}
