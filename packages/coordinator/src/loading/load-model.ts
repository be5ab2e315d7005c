import { onAbort } from "@ringrank/collectives";
import { RingrankError } from "@ringrank/errors";
import { requireUnchanged } from "@ringrank/model/serving";
import { bytesOfShards } from "@ringrank/model/weights";
import {
  type RankOptions,
  ScratchFolder,
  ShardCache,
  scratchBytes,
  type TraceFile,
} from "@ringrank/rank-worker";
import { requireChat } from "../conversations/require-chat.js";
import { requireGenerate } from "../generation/require-generate.js";
import { disableRuntimeTelemetry } from "../group/runtime-telemetry.js";
import { ThreadRankGroup } from "../group/thread-rank-group.js";
import { type Log, loggerOf } from "../logger.js";
import { Model } from "../model.js";
import { modelPath } from "../options/check.js";
import { type CheckedLoadOptions, checkLoadOptions } from "../options/check-load-options.js";
import type { LoadOptions } from "../options/load-options.js";
import { noTokenizer } from "../prompts/no-tokenizer.js";
import { requirePrompt } from "../prompts/require-prompt.js";
import { growingProgress } from "./growing-progress.js";
import { KeptPlan, type Plan } from "./kept-plan.js";
import { LoadCallbacks } from "./load-callbacks.js";
import { ownThreads, type Prepared, prepareModel, type Threads } from "./prepare-model.js";
import { requireRoomForThreads } from "./room-for-threads.js";
import { beginTrace } from "./trace-file.js";
import { notKept, unsupportedSettings, type Warn, warnThrough, withoutProducts } from "./warnings.js";

/**
 * Loads a model on `ranks` threads, each with its shard of the weights.
 *
 * ```js
 * const model = await loadModel("path/to/hf-model", { ranks: 2 });
 * ```
 *
 * @param pathOrCachedId a HuggingFace model directory, an `.onnx` file, a directory of such files, or the id of a model
 * in the local HuggingFace cache; nothing is downloaded
 * @throws RR_RANKS, RR_OPTION; RR_NOT_A_MODEL, RR_MISSING_FILE, RR_FILE_FORMAT, RR_PATH, RR_CONFIG,
 * RR_UNKNOWN_ARCHITECTURE, RR_TENSOR, RR_GRAPH, RR_NO_GENERATE, RR_NO_CHAT_TEMPLATE, RR_NO_TOKENIZER, and whatever
 * `generate` would throw for a required prompt; RR_POLICY, RR_NOTHING_SHARDED, RR_MEMORY; RR_RANK_FAILED,
 * RR_RANK_DIED, RR_TIMEOUT; or the reason of `signal`. No thread is left behind.
 */
export function loadModel(pathOrCachedId: string, options: LoadOptions = {}): Promise<Model> {
  return loadModelOn(ownThreads, pathOrCachedId, options);
}

/** As {@link loadModel}, with threads of the caller's. */
export async function loadModelOn(
  threads: Threads,
  pathOrCachedId: string,
  options: LoadOptions,
): Promise<Model> {
  const given = checkLoadOptions(options);
  const path = modelPath(pathOrCachedId);
  const logger = await loggerOf(given.logger);
  given.signal?.throwIfAborted();
  const trace = given.trace === undefined ? undefined : beginTrace(given.trace);
  // Aborted by the caller's signal, or by an error that a callback throws.
  const ending = new AbortController();
  const callbacks = new LoadCallbacks((error) => ending.abort(error));
  const checked = {
    ...given,
    signal: ending.signal,
    onProgress: callbacks.of(given.onProgress),
    onWarning: callbacks.of(given.onWarning),
  };
  let group: ThreadRankGroup | undefined;
  let prepared: Prepared | undefined;
  const settled = onAbort(given.signal, () => ending.abort(given.signal?.reason));
  onAbort(ending.signal, () => void group?.close());
  try {
    checked.onProgress?.({ phase: "plan", rank: undefined, bytesLoaded: 0, bytesTotal: 0 });
    const keptPlan = KeptPlan.of(path, checked, logger);
    const startRanks = (): ThreadRankGroup => {
      group ??= startGroup(checked, logger, trace);
      return group;
    };
    const ranks = { start: startRanks, reserve: (bytes: readonly number[]) => startRanks().reserve(bytes) };
    prepared = await prepareModel(path, checked, ranks, keptPlan, threads);
    requireRoomForThreads(prepared.plan.programs, checked.threadsPerRank, threads.left);
    const loading = loadRanks(startRanks(), prepared, checked, logger, keptPlan);
    const [model] = await Promise.all([loading, prepared.texts?.isOpen]);
    // The callback for "ready" may have aborted, which has closed the ranks.
    ending.signal.throwIfAborted();
    return model;
  } catch (error) {
    await Promise.all([group?.close(), prepared?.texts?.thread.close()]);
    throw ending.signal.aborted ? ending.signal.reason : whyLoadingFailed(error);
  } finally {
    settled();
    callbacks.end();
  }
}

/** Starts the ranks' threads. This takes as long as building their programs, and longer than reading cached ones. */
function startGroup(
  { ranks, stepTimeoutMs, wire, hugePages, workerUrl }: CheckedLoadOptions,
  logger: Log,
  trace: TraceFile | undefined,
): ThreadRankGroup {
  disableRuntimeTelemetry();
  return new ThreadRankGroup({
    worldSize: ranks,
    workerUrl,
    stepTimeoutMs,
    wire,
    hugePages,
    logger,
    trace,
  });
}

/** @param keptPlan where to store the plan; undefined if it may not be kept */
async function loadRanks(
  group: ThreadRankGroup,
  { plan, policy, isKept, obstacle, texts }: Prepared,
  options: CheckedLoadOptions,
  logger: Log,
  keptPlan: KeptPlan | undefined,
): Promise<Model> {
  const { signal, onProgress, prefixCacheTokens } = options;
  const warn = warnThrough(options.onWarning, logger);
  const { programs, facts, unsupported, unused, directory } = plan;
  if (options.requireGenerate) requireGenerate(facts);
  if (options.requireText && texts === undefined) throw noTokenizer("a text");
  if (options.requireChat) requireChat(directory);
  if (options.requirePrompt !== undefined) await requirePrompt(options.requirePrompt, plan, texts, signal);
  if (unsupported.length > 0 && facts.generates) warn(unsupportedSettings(unsupported));
  if (obstacle !== undefined) warn(withoutProducts(obstacle));
  if (unused.length > 0) logger.warn({ unused }, "the checkpoint has tensors that the model does not use");
  await loadWeights(group, { plan, isKept }, options, warn, keptPlan);
  await texts?.isOpen;
  // A callback for the last weights may have aborted.
  signal?.throwIfAborted();
  const bytesTotal = programs.reduce((sum, program) => sum + bytesOfShards(program.weights), 0);
  onProgress?.({ phase: "ready", rank: undefined, bytesLoaded: bytesTotal, bytesTotal });
  return new Model({ policy, facts, group, texts: texts?.thread, prefixCacheTokens });
}

/** If it fails, the ranks have ended. */
async function loadWeights(
  group: ThreadRankGroup,
  { plan, isKept }: Pick<Prepared, "plan" | "isKept">,
  options: CheckedLoadOptions,
  warn: Warn,
  keptPlan: KeptPlan | undefined,
): Promise<void> {
  const { threadsPerRank, onProgress } = options;
  const { programs, files } = plan;
  // Disposed of, with their temporary files, after the ranks have loaded or ended.
  using cache = openCache(plan, options, warn);
  using scratch = ScratchFolder.create(scratchBytes(programs));
  const report = growingProgress((loaded) => onProgress?.({ phase: "load", ...loaded }));
  try {
    const optionsOf = (rank: number): RankOptions => ({
      threads: threadsPerRank,
      scratchFolder: scratch?.path,
      cachedShard: cache?.places[rank],
    });
    await group.load(programs, optionsOf, report);
    requireUnchanged(files);
    const obstacles = [cache?.obstacle, ...group.reports.map(({ cacheObstacle }) => cacheObstacle)];
    const obstacle = obstacles.find((one) => one !== undefined);
    if (obstacle !== undefined) warn(notKept(obstacle));
    if (cache !== undefined && !isKept) keptPlan?.keep(plan, cache);
    // Their own last reports may still be on their way.
    for (const { rank, weights } of programs) {
      const bytes = bytesOfShards(weights);
      report({ rank, bytesLoaded: bytes, bytesTotal: bytes });
    }
  } catch (error) {
    await group.close();
    throw error;
  }
}

/**
 * Returns undefined if nothing is quantized, if nothing is to be kept, or if the directory is unfit, which is a
 * warning.
 */
function openCache(
  { programs, contents }: Plan,
  { cache }: CheckedLoadOptions,
  warn: Warn,
): ShardCache | undefined {
  if (cache === undefined) return undefined;
  try {
    return ShardCache.open(programs, cache.directory, cache.maxBytes, contents);
  } catch (error) {
    const { message } = error as Error;
    const what = `loading without the cache of quantized weights: ${message}`;
    warn(new RingrankError("RR_CACHE", what, { cause: error }));
    return undefined;
  }
}

/** During loading, the error inside a rank says more than the fact that the rank failed. */
function whyLoadingFailed(error: unknown): unknown {
  if (!(error instanceof RingrankError) || error.code !== "RR_RANK_FAILED") return error;
  return error.cause instanceof RingrankError ? error.cause : error;
}
