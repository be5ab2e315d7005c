import type { Communicator } from "@ringrank/collectives";
import { RingrankError, type RingrankErrorData } from "@ringrank/errors";
import { bytesOfShards } from "@ringrank/model/weights";
import type { RankProgram } from "@ringrank/policy";
import { compileProgram, needsKernels } from "./compilation/compile-program.js";
import type { CompiledEntry } from "./execution/compiled-entry.js";
import { rankFailure } from "./failure.js";
import type { NativeGate } from "./lifecycle.js";
import { LoadMemory } from "./loading/load-memory.js";
import { type LoadedProgram, loadProgram } from "./loading/load-program.js";
import type { RowFiles } from "./loading/row-files.js";
import type { RankLog } from "./logging.js";
import type {
  LoadProgress,
  LoadReport,
  RankOptions,
  RankService,
  RunRequest,
  RunResult,
  StepRequest,
  StepResult,
} from "./protocol.js";
import { fillingEntry } from "./requests/filling-entry.js";
import { runRequest } from "./requests/run-request.js";
import { Stepper } from "./requests/stepper.js";
import { releaseSessions } from "./sessions/open-session.js";
import type { OpenSession, OrtSession } from "./sessions/ort-binding.js";
import type { StepTrace } from "./step-trace.js";

/** The most progress reports of a load. Each costs time on two threads, and a model has hundreds of weights. */
const progressReports = 32;

/** What a rank needs that the coordinator does not send. */
interface RankContext {
  readonly communicator: Communicator;
  readonly gate: NativeGate;
  readonly openSession: OpenSession;
  readonly log: RankLog;
  /** Whether to ask for huge pages for the kernels' memory. Default false. */
  readonly hugePages?: boolean;
  /** Undefined if no trace is wanted. */
  readonly trace?: StepTrace | undefined;
}

/** A loaded program. */
interface Loaded {
  readonly sessions: readonly OrtSession[];
  readonly rowFiles: RowFiles;
  readonly entries: ReadonlyMap<string, CompiledEntry>;
  /** Undefined if no entry has logits. */
  readonly stepper: Stepper | undefined;
}

/**
 * One rank. Any error in it fails the group, so that its peers stop waiting at once, and rejects with `RR_RANK_FAILED`
 * and this rank's number. If a rank fails because of another one, it rejects with the first cause.
 */
export class Rank implements RankService {
  readonly #context: RankContext;
  /** Reserved for the coming load. */
  #memory: LoadMemory | undefined;
  #loaded: Loaded | undefined;
  #milliseconds = 0;
  /** Settles when the latest call has ended. */
  #last: Promise<unknown> = Promise.resolve();

  constructor(context: RankContext) {
    this.#context = context;
  }

  reserve(matrixBytes: number): Promise<RingrankErrorData | undefined> {
    return this.#failingTheGroup(async () => {
      this.#memory ??= this.#newMemory();
      if (matrixBytes === 0) return undefined;
      const obstacle = this.#memory.home(true).reserve(matrixBytes);
      return obstacle === undefined ? undefined : RingrankError.wrap(obstacle, "RR_ADDRESS_SPACE").toData();
    });
  }

  load(
    program: RankProgram,
    options: RankOptions,
    onProgress: (progress: LoadProgress) => void = () => {},
  ): Promise<LoadReport> {
    return this.#failingTheGroup(async () => {
      if (this.#loaded)
        throw new RingrankError(
          "RR_OPTION",
          "expected one load per rank, but this rank already has a program",
        );
      const { gate, openSession, log } = this.#context;
      const { rank } = program;
      const bytesTotal = bytesOfShards(program.weights);
      const memory = this.#memory ?? this.#newMemory();
      let bytesReported = 0;
      const loaded = await loadProgram(program, {
        openSession,
        gate,
        log,
        reader: memory.reader,
        home: memory.home(needsKernels(program)),
        ...options,
        onBytes: (bytesLoaded) => {
          this.#context.communicator.progress();
          if (bytesLoaded < bytesTotal && bytesLoaded - bytesReported < bytesTotal / progressReports) return;
          bytesReported = bytesLoaded;
          onProgress({ rank, bytesLoaded, bytesTotal });
        },
      });
      // Stored before anything else can fail, so that release() finds the sessions.
      this.#memory = undefined;
      const { sessions, rowFiles } = loaded;
      this.#loaded = { sessions, rowFiles, entries: new Map(), stepper: undefined };
      this.#loaded = this.#compile(program, loaded, options.threads);
      const { bytesRead, cacheObstacle } = loaded;
      const { bytes: bytesKept } = program;
      this.#context.log.info({ bytesKept, bytesRead, sessions: sessions.length }, "loaded");
      return {
        bytesKept,
        bytesInMemory: bytesTotal,
        bytesRead,
        sessions: sessions.length,
        cacheObstacle,
      };
    });
  }

  /** Advances sequences by their new tokens, all rows of the step at once. */
  step(request: StepRequest): Promise<StepResult> {
    return this.#failingTheGroup(async () => {
      const { stepper } = this.#requireLoaded();
      if (stepper === undefined) {
        throw new RingrankError(
          "RR_NO_GENERATE",
          "the model has no entry with logits, so it cannot run steps",
        );
      }
      const { trace } = this.#context;
      const traced = trace?.begin();
      const tokensBefore = stepper.tokens;
      const start = performance.now();
      const rows = await stepper.step(request);
      this.#milliseconds += performance.now() - start;
      if (traced !== undefined) trace?.endStep("step", traced, { tokens: stepper.tokens - tokensBefore });
      const { collectives, bytes: collectiveBytes } = this.#context.communicator.counters;
      const { steps, tokens, sourceTokens, experts } = stepper;
      const milliseconds = this.#milliseconds;
      const counters = { steps, milliseconds, tokens, sourceTokens, experts, collectives, collectiveBytes };
      return { rows, counters };
    });
  }

  run(request: RunRequest): Promise<RunResult> {
    return this.#failingTheGroup(async () => {
      const { entries } = this.#requireLoaded();
      const compiled = entries.get(request.entry);
      if (compiled === undefined) {
        throw new RingrankError("RR_INPUT", `the program has no entry "${request.entry}"`);
      }
      const filling = fillingEntry(compiled.entry, entries);
      const { trace } = this.#context;
      const start = trace?.begin();
      const outputs = await runRequest(compiled, filling, request, this.#context);
      if (start !== undefined) trace?.endStep("run", start);
      return { outputs: this.#onFirstRank(outputs, {}) };
    });
  }

  /** Never fails the group, since the released sessions are not used again. */
  release(): Promise<void> {
    return this.#inTurn(async () => {
      const sessions = this.#loaded?.sessions ?? [];
      this.#loaded?.rowFiles[Symbol.dispose]();
      this.#loaded = undefined;
      await releaseSessions(sessions, this.#context.gate);
    });
  }

  #newMemory(): LoadMemory {
    return new LoadMemory(this.#context.log, this.#context.hugePages ?? false);
  }

  #compile(program: RankProgram, loaded: LoadedProgram, threads: number): Loaded {
    const entries = compileProgram(program, loaded, threads);
    const decoder = [...entries.values()].find(({ entry }) => Stepper.serves(entry));
    const stepper = decoder && new Stepper(decoder, fillingEntry(decoder.entry, entries), this.#context);
    const { sessions, rowFiles } = loaded;
    return { sessions, rowFiles, entries, stepper };
  }

  #requireLoaded(): Loaded {
    if (this.#loaded) return this.#loaded;
    throw new RingrankError(
      "RR_CLOSED",
      "this rank has no program: it has been released, or load() did not succeed",
    );
  }

  /** All ranks have the same result, so only one copy is sent to the coordinator. */
  #onFirstRank<T>(result: T, elsewhere: T): T {
    return this.#context.communicator.rank === 0 ? result : elsewhere;
  }

  #failingTheGroup<T>(work: () => Promise<T>): Promise<T> {
    return this.#inTurn(async () => {
      try {
        return await work();
      } catch (error) {
        const { communicator, log } = this.#context;
        const failure = rankFailure(error, communicator.rank);
        log.error({ err: failure }, "failed");
        communicator.poison(failure);
        throw failure;
      }
    });
  }

  /**
   * Runs calls one after the other. Steps arrive ahead of time, and the next call may come after rank 0 has answered
   * while this rank is still busy with the last one.
   */
  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#last.then(work);
    this.#last = result.catch(() => {});
    return result;
  }
}
