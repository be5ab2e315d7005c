import { RingrankError } from "@ringrank/errors";
import type { TensorData } from "@ringrank/model";
import { bytesOfShards, readStatistics, type ShardReader, type WeightShard } from "@ringrank/model/weights";
import type { RankProgram, Segment } from "@ringrank/policy";
import type { MatrixHome } from "../kernels/matrix-home.js";
import type { NativeGate } from "../lifecycle.js";
import type { RankLog } from "../logging.js";
import type { CachedShardPlace } from "../protocol.js";
import { openSession, releaseSessions } from "../sessions/open-session.js";
import type { OpenSession, OrtSession } from "../sessions/ort-binding.js";
import { type SessionThreads, sessionThreads } from "../sessions/session-options.js";
import { Tensor, tensor } from "../tensors/tensor.js";
import { widen } from "../tensors/widen.js";
import { keptWeights, placeWeights } from "./kept-weights.js";
import { ProgramWeights } from "./program-weights.js";
import { RowFiles } from "./row-files.js";
import { ShardFiles } from "./shard-files.js";

interface LoadContext {
  readonly openSession: OpenSession;
  readonly gate: NativeGate;
  readonly log: RankLog;
  /** Closed when the load ends. */
  readonly reader: ShardReader;
  /** The memory for the matrices of the rank's own products. */
  readonly home: MatrixHome;
  /** Number of threads of each session. */
  readonly threads: number;
  /** A private folder for the files of one segment at a time; without it, weights are passed to sessions in memory. */
  readonly scratchFolder?: string | undefined;
  readonly cachedShard?: CachedShardPlace | undefined;
  /** Called after each shard with the bytes loaded so far. */
  readonly onBytes: (bytesLoaded: number) => void;
}

type OpenContext = Omit<LoadContext, "threads"> & {
  readonly threads: SessionThreads;
  readonly rowFiles: RowFiles;
  readonly shardOf: (name: string) => WeightShard;
};

/** A program's sessions, the weights that the rank holds itself, and what loading them took. */
export interface LoadedProgram {
  /** By segment. */
  readonly sessions: readonly OrtSession[];
  readonly home: MatrixHome;
  /** By name: weights in the rank's own memory; those of its products are in the memory of kernels if there is room. */
  readonly keptWeights: ReadonlyMap<string, Tensor>;
  /** Tables among the weights of sessions. The caller disposes of them. */
  readonly rowFiles: RowFiles;
  readonly bytesRead: number;
  readonly cacheObstacle: string | undefined;
}

/**
 * Reads the rank's shard and opens a session for each segment. The weights that the rank holds itself are read first,
 * directly to their place. Then segments are loaded one after the other. A segment's weights go into files, which its
 * session maps: it releases those that it repacks for its kernels, and keeps the others mapped. So the peak memory is
 * the rank's shard plus one segment, a small one. If one fails, the open sessions are released.
 *
 * @throws RR_CLOSED if the process ends in the meantime; whatever reading a shard throws; RR_POLICY if the program
 * names a weight that it does not contain, or the loaded bytes differ from its count; RR_GRAPH if the runtime refuses a
 * segment
 */
export async function loadProgram(program: RankProgram, context: LoadContext): Promise<LoadedProgram> {
  const { reader, home } = context;
  using weights = new ProgramWeights(program, context.onBytes, reader);
  const files = new ShardFiles(weights, context);
  const shardOf = (name: string): WeightShard => weights.shard(name);
  const rowFiles = new RowFiles();
  const opening: OpenContext = {
    ...context,
    threads: sessionThreads(context.threads, program.worldSize),
    rowFiles,
    shardOf,
  };
  const readBefore = readStatistics().bytes;
  /** By segment. */
  const opened = new Map<number, OrtSession>();
  try {
    const kept = new Map<string, Tensor>();
    const places = placeWeights(keptWeights(program), shardOf, home);
    files.fill(places);
    for (const [name, data] of places.flatMap((some) => [...some])) {
      kept.set(name, keptTensor(shardOf(name), data, home));
    }
    for (const index of largestFirst(program.segments, weights)) {
      opened.set(index, await openSegment(program.segments[index]!, index, files, opening));
    }
    files.finish();
    const [expected, loaded] = [bytesOfShards(program.weights), weights.bytesInMemory];
    if (loaded !== expected) {
      throw new RingrankError(
        "RR_POLICY",
        `expected to load the program's ${expected} bytes of weights, got ${loaded}`,
        { rank: program.rank },
      );
    }
    const sessions = program.segments.map((_, index) => opened.get(index)!);
    const bytesRead = readStatistics().bytes - readBefore;
    return { sessions, home, keptWeights: kept, rowFiles, bytesRead, cacheObstacle: files.obstacle };
  } catch (error) {
    rowFiles[Symbol.dispose]();
    await releaseSessions([...opened.values()], context.gate);
    throw error;
  }
}

/** A matrix of bfloat16 stays one if kernels can read it. Sessions, which multiply otherwise, take float32. */
function keptTensor({ weight, dims }: WeightShard, data: TensorData, home: MatrixHome): Tensor {
  if (!(weight.type === "bfloat16" && data instanceof Uint16Array)) return tensor(weight.type, data, dims);
  if (home.kernelsOf(data) !== undefined) return new Tensor(weight.type, data, dims);
  const floats = new Float32Array(data.length);
  widen(data, floats);
  return tensor("float32", floats, dims);
}

/**
 * Indices of segments, largest first. A segment takes twice its memory while it is being opened. At the end, next to
 * all other segments, that is the peak.
 */
function largestFirst(segments: readonly Segment[], weights: ProgramWeights): number[] {
  const bytes = segments.map(({ initializers }) => weights.bytesOf(initializers));
  return [...segments.keys()].sort((a, b) => bytes[b]! - bytes[a]!);
}

async function openSegment(
  segment: Segment,
  index: number,
  files: ShardFiles,
  context: OpenContext,
): Promise<OrtSession> {
  using place = files.segment(index);
  try {
    context.rowFiles.open(segment, place.weights, context.shardOf);
    return await openSession(segment, index, place.weights, context);
  } catch (error) {
    // The cache may have been cleared since the entry was checked.
    if (!place.isCached || context.gate.stopped) throw error;
    context.log.warn({ err: error }, "cannot use a cached shard; reading the model instead");
    files.distrust();
    return await openSegment(segment, index, files, context);
  }
}
