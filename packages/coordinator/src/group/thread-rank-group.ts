import { MessageChannel, type MessagePort } from "node:worker_threads";
import {
  createGroup,
  type GroupHandle,
  groupActivity,
  poison,
  poisonCause,
  type Wire,
} from "@ringrank/collectives";
import { RingrankError } from "@ringrank/errors";
import type { RankProgram } from "@ringrank/policy";
import {
  Lifecycle,
  type LoadProgress,
  type LoadReport,
  type RankControl,
  type RankOptions,
  type RunRequest,
  type RunResult,
  type StepRequest,
  type StepResult,
  type TraceFile,
} from "@ringrank/rank-worker";
import comlink from "comlink";
import { Connection, type Remote } from "../channel/connection.js";
import { guardExit } from "../exit-listener.js";
import { type Log, rankLogLevel, unfailing } from "../logger.js";
import { modelClosed } from "../model-ended.js";
import type { RankGroup } from "./rank-group.js";
import { RankThreads } from "./rank-threads.js";
import { shutDown } from "./shut-down.js";
import { StepChannel } from "./step-channel.js";
import { watchForSilence } from "./watchdog.js";

export interface ThreadRankGroupOptions {
  readonly worldSize: number;
  /** `file:` URL of the rank's worker module. Default: `rank-worker.ts`. */
  readonly workerUrl: string | undefined;
  readonly stepTimeoutMs: number;
  /** Default `float32`. */
  readonly wire?: Wire | undefined;
  /** Default false. */
  readonly hugePages?: boolean | undefined;
  readonly logger: Log;
  /** The trace that ranks append theirs to. */
  readonly trace?: TraceFile | undefined;
}

/** Reading one weight or creating one session may take longer than a step, but not forever. */
const loadTimeoutMs = 60_000;

/**
 * Ranks on threads of this process.
 *
 * ```
 *  main thread                               rank r
 *  ───────────                               ──────
 *  RankThreads ───────── piscina ──────────▶ serveRank   one task, as long as the rank lives
 *  Connection  ◀──────── comlink ──────────▶ RankControl reserve, load, run, release
 *  StepChannel ◀──────── messages ─────────▶ serveSteps  steps, sent ahead of the previous answer
 *  poison, groupActivity ─ GroupHandle ────▶ Communicator
 *  stop, waitUntilOutside ─ Lifecycle ─────▶ NativeGate
 * ```
 *
 * The first fault ends the group, whichever path reports it: the collectives are poisoned, so that ranks waiting for
 * the lost one leave at once, the calls in progress reject, and the threads are released.
 */
export class ThreadRankGroup implements RankGroup {
  readonly worldSize: number;
  readonly #handle: GroupHandle;
  readonly #lifecycle: Lifecycle;
  readonly #threads: RankThreads;
  readonly #connections: readonly Connection<RankControl>[];
  readonly #steps: StepChannel;
  readonly #stepTimeoutMs: number;
  readonly #logger: Log;
  readonly #unguardExit: () => void;
  readonly #listeners: ((cause: RingrankError) => void)[] = [];
  #reports: readonly LoadReport[] = [];
  #failure: RingrankError | undefined;
  /** Rejects the load or run in progress. */
  #abandon: (reason: unknown) => void = () => {};
  #stopStepWatch: () => void = () => {};
  /** Settles when every rank has memory for reading. */
  #hasReserved: Promise<unknown> | undefined;
  #isLoaded = false;
  #ending: Promise<void> | undefined;

  /** Starts the threads; {@link load} then loads the model into them. */
  constructor({
    worldSize,
    workerUrl,
    stepTimeoutMs,
    wire,
    hugePages,
    logger,
    trace,
  }: ThreadRankGroupOptions) {
    this.worldSize = worldSize;
    this.#stepTimeoutMs = stepTimeoutMs;
    this.#logger = unfailing(logger);
    this.#handle = createGroup({ worldSize, stepTimeoutMs, wire });
    this.#lifecycle = new Lifecycle(worldSize);
    const channels = Array.from({ length: worldSize }, () => new MessageChannel());
    const stepChannels = channels.map(() => new MessageChannel());
    this.#connections = channels.map(({ port1 }) => new Connection<RankControl>(port1));
    this.#steps = new StepChannel(
      stepChannels.map(({ port1 }) => port1),
      (error) => this.#fail(error),
      (isWaiting) => this.#watchSteps(isWaiting),
    );
    const tasks = channels.map(({ port2 }, rank) => ({
      rank,
      group: this.#handle,
      port: port2,
      steps: stepChannels[rank]!.port2,
      lifecycle: this.#lifecycle.buffer,
      hugePages,
      logLevel: rankLogLevel(logger),
      trace,
    }));
    this.#threads = new RankThreads(tasks, { workerUrl, logger: this.#logger }, (rank, error) =>
      this.#onEnd(rank, error),
    );
    this.#unguardExit = guardExit({
      stopNow: (error) => {
        this.#lifecycle.stop();
        poison(this.#handle, error);
      },
      waitUntilOutside: (timeoutMs) => this.#lifecycle.waitUntilOutside(timeoutMs),
    });
  }

  get reports(): readonly LoadReport[] {
    return this.#reports;
  }

  get failure(): RingrankError | undefined {
    return this.#failure;
  }

  onFailure(listener: (cause: RingrankError) => void): void {
    if (this.#failure !== undefined) listener(this.#failure);
    else this.#listeners.push(listener);
  }

  /**
   * Reserves memory on every rank in which its kernels multiply by this many bytes of weights, by rank.
   *
   * @returns what prevents a rank from that, or undefined if nothing does
   */
  async reserve(matrixBytes: readonly number[]): Promise<RingrankError | undefined> {
    await this.#reserveForReading();
    const obstacles = await this.#reserveOnRanks((rank) => matrixBytes[rank]!);
    const first = obstacles.find((obstacle) => obstacle !== undefined);
    return first && RingrankError.fromData(first);
  }

  /** Makes every rank read its shard and open its sessions. */
  async load(
    programs: readonly RankProgram[],
    optionsOf: (rank: number) => RankOptions,
    onProgress: (progress: LoadProgress) => void,
  ): Promise<void> {
    await this.#reserveForReading();
    this.#reports = await this.#everyRank(this.#loadTimeoutMs, (remote, rank) =>
      remote.load(programs[rank]!, optionsOf(rank), progressPort(onProgress)),
    );
    this.#isLoaded = true;
  }

  async step(request: StepRequest): Promise<StepResult> {
    this.#requireUsable();
    return this.#steps.send(request);
  }

  async run(request: RunRequest): Promise<RunResult> {
    // All ranks compute the same result, and only rank 0 sends it.
    return (await this.#everyRank(this.#stepTimeoutMs, (remote) => remote.run(request)))[0]!;
  }

  close(): Promise<void> {
    this.#ending ??= this.#end(modelClosed());
    return this.#ending;
  }

  /**
   * A rank can work without kernels, but not without memory for reading. If address space is scarce, all ranks must get
   * the latter before any gets the former.
   */
  #reserveForReading(): Promise<unknown> {
    this.#hasReserved ??= this.#reserveOnRanks(() => 0);
    return this.#hasReserved;
  }

  #reserveOnRanks(bytesOf: (rank: number) => number) {
    return this.#everyRank(this.#loadTimeoutMs, (remote, rank) => remote.reserve(bytesOf(rank)));
  }

  get #loadTimeoutMs(): number {
    return Math.max(this.#stepTimeoutMs, loadTimeoutMs);
  }

  #requireUsable(): void {
    if (this.#failure !== undefined) throw this.#failure;
    if (this.#ending !== undefined) throw modelClosed();
  }

  async #everyRank<Result>(
    timeoutMs: number,
    call: (remote: Remote<RankControl>, rank: number) => Promise<Result>,
  ): Promise<Result[]> {
    this.#requireUsable();
    const waiting = new Set(this.#connections.keys());
    const stopWatch = this.#watch(timeoutMs, (rank) => waiting.has(rank));
    try {
      return await new Promise<Result[]>((resolve, reject) => {
        this.#abandon = reject;
        const answers = this.#connections.map(async (connection, rank) => {
          try {
            return await connection.call((remote) => call(remote, rank));
          } catch (error) {
            this.#fail(RingrankError.wrap(error, "RR_RANK_FAILED", { rank }));
            throw error;
          } finally {
            waiting.delete(rank);
          }
        });
        Promise.all(answers).then(resolve, reject);
      });
    } finally {
      stopWatch();
    }
  }

  #watchSteps(isWaiting: boolean): void {
    this.#stopStepWatch();
    // Rank 0 answers for all ranks, soon after the last collective; no other rank finishes much earlier.
    this.#stopStepWatch = isWaiting ? this.#watch(this.#stepTimeoutMs, () => true) : () => {};
  }

  #watch(timeoutMs: number, isWorking: (rank: number) => boolean): () => void {
    return watchForSilence(
      timeoutMs,
      () => groupActivity(this.#handle),
      isWorking,
      (rank) => this.#fail(silence(rank, timeoutMs)),
    );
  }

  /** A rank's task has ended, either as requested or too early. */
  #onEnd(rank: number, error: RingrankError | undefined): void {
    const early = new RingrankError("RR_RANK_DIED", `rank ${rank} ended before it was asked to`, { rank });
    const reason = error ?? early;
    this.#fail(reason);
    this.#connections[rank]!.close(this.#failure ?? reason);
  }

  #fail(error: RingrankError): void {
    if (this.#failure !== undefined || this.#ending !== undefined) return;
    poison(this.#handle, error);
    // A rank may have poisoned the group before this thread heard of any fault; then its error is the first cause.
    const first = poisonCause(this.#handle);
    const cause =
      first === undefined || (first.code === error.code && first.rank === error.rank)
        ? error
        : RingrankError.fromData(first);
    this.#failure = cause;
    this.#logger.error({ err: cause, rank: cause.rank }, "the model has failed");
    this.#ending = this.#end(cause);
    for (const listener of this.#listeners) listener(cause);
  }

  async #end(reason: RingrankError): Promise<void> {
    poison(this.#handle, reason);
    this.#abandon(reason);
    this.#steps.close(reason);
    await shutDown({
      connections: this.#connections,
      lifecycle: this.#lifecycle,
      threads: this.#threads,
      logger: this.#logger,
      ranks: reason.code === "RR_TIMEOUT" ? "stuck" : this.#isLoaded ? "serving" : "beginning",
      onGone: this.#unguardExit,
    });
  }
}

function silence(rank: number, timeoutMs: number): RingrankError {
  const message = `rank ${rank} made no progress for ${timeoutMs} ms; if its work takes longer, raise stepTimeoutMs`;
  return new RingrankError("RR_TIMEOUT", message, { rank });
}

/** A port for a rank, which closes it once it has loaded. It does not keep the process alive. */
function progressPort(onProgress: (progress: LoadProgress) => void): MessagePort {
  const { port1, port2 } = new MessageChannel();
  port1.on("message", onProgress);
  port1.unref();
  return comlink.transfer(port2, [port2]);
}
