import { once } from "node:events";
import { type GenerateOptions, type LoadOptions, loadModel, type Model } from "@ringrank/coordinator";
import { modelFrom } from "../arguments/model.js";
import { readPolicyFile } from "../arguments/policy-file.js";
import { figures, Stopwatch } from "../output/figures.js";
import { LoadProgress } from "../output/load-progress.js";
import { styled, withBoldHeader } from "../output/style.js";

export interface RunFlags extends Omit<GenerateOptions, "signal" | "logprobs"> {
  readonly demo?: boolean;
  readonly dtype?: LoadOptions["dtype"];
  readonly ranks: number;
  readonly prompt?: string;
  readonly policy?: string;
  readonly objective: "memory" | "time";
  readonly memoryPerRank?: number;
  readonly threadsPerRank?: number;
  readonly trace?: string;
  readonly precision: "float32" | "int8" | "int4";
  readonly activations?: "float32" | "int8";
  readonly wire: "float32" | "float16" | "int8";
  /** False after `--no-cache`. */
  readonly cache: boolean;
  readonly cacheMaxBytes?: number;
}

/** `ringrank run`: the generated text on standard output, everything else on standard error. */
export async function run(
  directory: string | undefined,
  flags: RunFlags,
  signal: AbortSignal,
): Promise<void> {
  const path = modelFrom(directory, flags.demo);
  const model = await load(path, flags, signal);
  try {
    process.stderr.write(`\n${withBoldHeader(process.stderr, model.policy.table({ short: true }))}\n\n`);
    const prompt = flags.prompt ?? (flags.demo === true ? "ROMEO:\n" : "Once upon a time");
    await stream(model, prompt, flags, signal);
  } finally {
    await model.close();
  }
}

async function load(path: string, flags: RunFlags, signal: AbortSignal): Promise<Model> {
  const {
    dtype,
    ranks,
    objective,
    memoryPerRank,
    threadsPerRank,
    precision,
    activations,
    wire,
    trace,
    cache,
    cacheMaxBytes,
  } = flags;
  const policy = flags.policy === undefined ? undefined : await readPolicyFile(flags.policy);
  const progress = new LoadProgress(process.stderr, ranks);
  try {
    return await loadModel(path, {
      dtype,
      ranks,
      objective,
      memoryPerRank,
      threadsPerRank,
      trace,
      precision,
      activations,
      wire,
      cache,
      cacheMaxBytes,
      policy,
      signal,
      onProgress: (report) => progress.report(report),
    });
  } catch (error) {
    progress.clear();
    throw error;
  }
}

async function stream(model: Model, prompt: string, flags: RunFlags, signal: AbortSignal): Promise<void> {
  const { maxNewTokens, temperature, topK, topP, minP, repetitionPenalty, seed, stop, ignoreEos } = flags;
  const { decoderPrompt } = flags;
  const sampling = { temperature, topK, topP, minP, repetitionPenalty, seed };
  const stopwatch = new Stopwatch();
  const generation = model.generate(prompt, {
    maxNewTokens,
    ...sampling,
    stop,
    ignoreEos,
    decoderPrompt,
    signal,
  });
  process.stderr.write(styled(process.stderr, "dim", prompt));
  try {
    for await (const { text } of generation) {
      stopwatch.token();
      if (!process.stdout.write(text)) await once(process.stdout, "drain", { signal });
    }
  } finally {
    process.stdout.write("\n");
  }
  const bytesPerRank = model.memory().map(({ bytesKept }) => bytesKept);
  process.stderr.write(`\n${figures(stopwatch, await generation.result, bytesPerRank)}\n`);
}
