import type { GenerateOptions, LoadOptions } from "@ringrank/coordinator";
import { readPolicyFile } from "./policy-file.js";

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

/** The flags of `run` and `chat` for loading a model and for choosing tokens. */
export interface ModelFlags
  extends LoadFlags,
    Omit<GenerateOptions, "signal" | "logprobs" | "decoderPrompt"> {
  readonly ranks: number;
  /** A file. */
  readonly policy?: string;
}

/** Flags as the options of `loadModel` and of `generate`. */
export interface ModelOptions {
  readonly loading: LoadOptions & { readonly ranks: number };
  readonly generating: GenerateOptions;
}

/** @throws RR_OPTION, RR_POLICY for the policy's file */
export async function modelOptions({
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
  templateVariables,
  ...loading
}: ModelFlags): Promise<ModelOptions> {
  // A policy has already been decided, so the flag's default does not apply.
  const division = policyFile === undefined ? { objective } : { policy: await readPolicyFile(policyFile) };
  const sampling = { temperature, topK, topP, minP, repetitionPenalty, noRepeatNgramSize, seed };
  return {
    loading: { ...loading, ...division },
    generating: { maxNewTokens, ...sampling, stop, ignoreEos, templateVariables },
  };
}
