import { maximumWorldSize, type Wire, wires } from "@ringrank/collectives";
import { type RingrankError, requireOptions } from "@ringrank/errors";
import { type ExportDtype, exportDtypes } from "@ringrank/model/serving";
import {
  type ActivationPrecision,
  activationPrecisions,
  type Objective,
  objectives,
  type WeightPrecision,
  weightPrecisions,
} from "@ringrank/policy/decision";
import { defaultCacheDirectory } from "@ringrank/rank-worker";
import { requireHugePages } from "@ringrank/webassembly";
import type { Logger } from "pino";
import { isLog } from "../logger.js";
import {
  absolutePath,
  booleanOption,
  choiceOption,
  functionOption,
  numberOption,
  optionError,
  pathOption,
  signalOption,
} from "./check.js";
import { validateGenerateOptions } from "./generate-options.js";
import type { LoadOptions, PlanOptions, Progress, RequiredPrompt } from "./load-options.js";

/** {@link LoadOptions} with all defaults filled in. */
export interface CheckedLoadOptions {
  readonly dtype: ExportDtype | undefined;
  readonly ranks: number;
  readonly objective: Objective;
  readonly memoryPerRank: number | undefined;
  readonly threadsPerRank: number;
  readonly precision: WeightPrecision;
  readonly activations: ActivationPrecision | undefined;
  readonly signal: AbortSignal | undefined;
  readonly hugePages: boolean;
  readonly prefixCacheTokens: number;
  readonly wire: Wire;
  readonly policy: object | undefined;
  readonly requireGenerate: boolean;
  readonly requireText: boolean;
  readonly requireChat: boolean;
  readonly requirePrompt: RequiredPrompt | undefined;
  readonly onWarning: ((warning: RingrankError) => void) | undefined;
  readonly onProgress: ((progress: Progress) => void) | undefined;
  readonly stepTimeoutMs: number;
  /** Undefined if nothing is kept. */
  readonly cache: { readonly directory: string; readonly maxBytes: number } | undefined;
  readonly logger: Logger | undefined;
  readonly trace: string | undefined;
  readonly workerUrl: string | undefined;
}

const planKeys: readonly (keyof PlanOptions)[] = [
  "dtype",
  "ranks",
  "objective",
  "memoryPerRank",
  "precision",
  "activations",
  "signal",
];
const loadKeys: readonly (keyof LoadOptions)[] = [
  ...planKeys,
  "threadsPerRank",
  "hugePages",
  "prefixCacheTokens",
  "wire",
  "policy",
  "requireGenerate",
  "requireText",
  "requireChat",
  "requirePrompt",
  "onWarning",
  "onProgress",
  "stepTimeoutMs",
  "cache",
  "cacheDirectory",
  "cacheMaxBytes",
  "logger",
  "trace",
  "workerUrl",
];

/** @throws RR_RANKS, RR_OPTION */
export function checkPlanOptions(options: PlanOptions): CheckedLoadOptions {
  requireOptions(options, planKeys);
  return checkKnown(options);
}

/** @throws RR_RANKS, RR_OPTION */
export function checkLoadOptions(options: LoadOptions): CheckedLoadOptions {
  requireOptions(options, loadKeys);
  return checkKnown(options);
}

function checkKnown(options: LoadOptions): CheckedLoadOptions {
  const { logger } = options;
  if (logger !== undefined && !isLog(logger)) throw optionError("logger", "a pino logger", logger);
  return {
    ...precisionOptions(options),
    dtype:
      options.dtype === undefined ? undefined : choiceOption("dtype", options.dtype, exportDtypes, "fp32"),
    ranks: numberOption(
      "ranks",
      options.ranks,
      { minimum: 1, maximum: maximumWorldSize, integer: true, code: "RR_RANKS" },
      1,
    ),
    objective: choiceOption("objective", options.objective, objectives, "memory"),
    memoryPerRank: numberOption(
      "memoryPerRank",
      options.memoryPerRank,
      { minimum: 1, unit: "bytes", infinity: true },
      undefined,
    ),
    threadsPerRank: numberOption(
      "threadsPerRank",
      options.threadsPerRank,
      { minimum: 1, maximum: 256, integer: true },
      1,
    ),
    stepTimeoutMs: numberOption(
      "stepTimeoutMs",
      options.stepTimeoutMs,
      { minimum: 100, unit: "milliseconds", infinity: true },
      120_000,
    ),
    requireGenerate: booleanOption("requireGenerate", options.requireGenerate, false),
    requireText: booleanOption("requireText", options.requireText, false),
    requireChat: booleanOption("requireChat", options.requireChat, false),
    requirePrompt: requirePromptOption(options.requirePrompt),
    onWarning: functionOption("onWarning", options.onWarning, "a warning"),
    onProgress: functionOption("onProgress", options.onProgress, "progress"),
    signal: signalOption(options.signal),
    hugePages: hugePagesOption(options.hugePages),
    prefixCacheTokens: numberOption(
      "prefixCacheTokens",
      options.prefixCacheTokens,
      { minimum: 0, unit: "tokens", integer: true, infinity: true },
      0,
    ),
    wire: choiceOption("wire", options.wire, wires, "float32"),
    cache: cacheOption(options),
    policy: policyOption(options),
    logger,
    trace: traceOption(options.trace),
    workerUrl: workerUrlOption(options.workerUrl),
  };
}

function precisionOptions(options: LoadOptions): Pick<CheckedLoadOptions, "precision" | "activations"> {
  const precision = choiceOption("precision", options.precision, weightPrecisions, "float32");
  if (options.activations === undefined) return { precision, activations: undefined };
  const activations = choiceOption("activations", options.activations, activationPrecisions, "float32");
  if (precision === "float32" && activations === "int8") {
    throw optionError(
      "activations",
      'float32 with precision: "float32" (int8 requires quantized weights)',
      activations,
    );
  }
  return { precision, activations };
}

function policyOption({ policy, objective }: LoadOptions): object | undefined {
  if (policy === undefined) return undefined;
  if (typeof policy !== "object" || policy === null) {
    throw optionError("policy", "a PartitionPolicy, or what JSON.parse makes of its JSON", policy);
  }
  refuseBeside("a policy", "objective", objective);
  return policy;
}

function hugePagesOption(value: boolean | undefined): boolean {
  const hugePages = booleanOption("hugePages", value, false);
  if (hugePages) requireHugePages();
  return hugePages;
}

function requirePromptOption(value: RequiredPrompt | undefined): RequiredPrompt | undefined {
  if (value === undefined) return undefined;
  if (typeof value !== "object" || value === null || !("prompt" in value)) {
    throw optionError("requirePrompt", "{ prompt, options }", value);
  }
  requireOptions(value, ["prompt", "options"]);
  if (value.options !== undefined) validateGenerateOptions(value.options);
  return value;
}

function traceOption(trace: string | undefined): string | undefined {
  if (trace === undefined) return undefined;
  return absolutePath("trace", pathOption("trace", trace, "the path of a file"));
}

function cacheOption({
  cache = true,
  cacheDirectory,
  cacheMaxBytes,
}: LoadOptions): CheckedLoadOptions["cache"] {
  if (typeof cache !== "boolean") throw optionError("cache", "true or false", cache);
  if (cacheDirectory !== undefined) pathOption("cacheDirectory", cacheDirectory);
  if (!cache) {
    refuseBeside("cache: false", "cacheDirectory", cacheDirectory);
    refuseBeside("cache: false", "cacheMaxBytes", cacheMaxBytes);
  }
  const bounds = { minimum: 0, unit: "bytes", infinity: true };
  const maxBytes = numberOption("cacheMaxBytes", cacheMaxBytes, bounds, 20e9);
  if (!cache) return undefined;
  const directory =
    cacheDirectory === undefined
      ? absolutePath("RINGRANK_CACHE", defaultCacheDirectory())
      : absolutePath("cacheDirectory", cacheDirectory);
  return { directory, maxBytes };
}

/** Refuses an option that has no effect in combination with another. */
function refuseBeside(other: string, name: string, value: unknown): void {
  if (value !== undefined) throw optionError(name, `no value together with ${other}`, value);
}

function workerUrlOption(value: unknown): string | undefined {
  if (value === undefined) return undefined;
  const href = value instanceof URL ? value.href : value;
  if (typeof href === "string" && href.startsWith("file:")) return href;
  throw optionError("workerUrl", "a file: URL", value);
}
