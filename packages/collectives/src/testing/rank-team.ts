import { BroadcastChannel } from "node:worker_threads";
import type { Algorithm, CollectiveArray, GroupOptions, ReduceOperation } from "@ringrank/collectives";
import { createGroup, runRanks } from "@ringrank/collectives";
import { RingrankError, type RingrankErrorData } from "@ringrank/errors";
import type { KernelChoice } from "../kernels/kernels.js";

/** One collective with every rank's operand. */
export interface CollectiveCase {
  readonly collective: "allReduce" | "allGather" | "reduceScatter" | "broadcast";
  readonly operation?: ReduceOperation;
  readonly counts?: readonly number[];
  readonly root?: number;
  /** Of an all-reduce. */
  readonly wire?: "float32";
  /** By rank. */
  readonly inputs: readonly CollectiveArray[];
}

/** Rank threads that stay for many cases: starting threads for each would take longer than all cases do. */
export class RankTeam {
  readonly worldSize: number;
  readonly #channel: BroadcastChannel;
  readonly #run: Promise<unknown>;
  readonly #waiting = new Map<number, (done: Done) => void>();
  #orders = 0;

  private constructor(worldSize: number) {
    this.worldSize = worldSize;
    const name = `team-${process.pid}-${++teams}`;
    this.#channel = new BroadcastChannel(name);
    this.#channel.onmessage = (event: unknown) => {
      const { data } = event as { data: Done };
      this.#waiting.get(data.id)?.(data);
    };
    const task = new URL("./team.task.mjs", import.meta.url);
    // Each test that uses the team has a limit, but there may be many.
    const timeoutMs = Number.POSITIVE_INFINITY;
    this.#run = runRanks(worldSize, task, { channel: name }, { timeoutMs });
  }

  static async start(worldSize: number): Promise<RankTeam> {
    const team = new RankTeam(worldSize);
    await Promise.race([team.#answers(0), team.#run]);
    return team;
  }

  /**
   * A fresh group of all ranks; the result performs cases in it, one after the other, and gives outputs by rank.
   * `kernels` are by rank, too.
   */
  async group(
    algorithm: Algorithm,
    options: Omit<GroupOptions, "worldSize"> = {},
    kernels?: readonly KernelChoice[],
  ): Promise<(...cases: CollectiveCase[]) => Promise<CollectiveArray[][]>> {
    const group = ++groups;
    const handle = createGroup({ worldSize: this.worldSize, ...options });
    await this.#order({ kind: "join", group, handle, algorithm, kernels });
    return async (...cases) => {
      const calls = cases.map((one) => toCall(one, this.worldSize));
      await this.#order({ kind: "perform", group, calls });
      return calls.map(({ outputs, outLengths }) => split(outputs, outLengths));
    };
  }

  async stop(): Promise<void> {
    this.#channel.postMessage({ to: "ranks", kind: "stop" });
    await this.#run;
    this.#channel.close();
  }

  async #order(order: object): Promise<void> {
    const id = ++this.#orders;
    const answers = this.#answers(id);
    this.#channel.postMessage({ to: "ranks", id, ...order });
    const failed = (await answers).find((done) => done.error);
    if (failed?.error) throw RingrankError.fromData(failed.error);
  }

  #answers(id: number): Promise<Done[]> {
    return new Promise((resolve) => {
      const answers: Done[] = [];
      this.#waiting.set(id, (done) => {
        answers.push(done);
        if (answers.length < this.worldSize) return;
        this.#waiting.delete(id);
        resolve(answers);
      });
    });
  }
}

interface Done {
  readonly id: number;
  readonly rank: number;
  readonly error?: RingrankErrorData;
}

let teams = 0;
let groups = 0;

/** Inputs and outputs in shared arrays, so that large cases are not cloned for every rank. */
function toCall({ inputs, ...rest }: CollectiveCase, worldSize: number) {
  const lengths = inputs.map((input) => input.length);
  const total = sum(lengths);
  const outLengths = lengths.map((length, rank) => {
    if (rest.collective === "allGather") return total;
    if (rest.collective !== "reduceScatter") return length;
    const even = Math.floor(length / worldSize) + (rank < length % worldSize ? 1 : 0);
    return rest.counts?.[rank] ?? even;
  });
  const allocate = inputs[0] instanceof Float32Array ? sharedFloats : sharedInts;
  const shared = allocate(total);
  let start = 0;
  for (const input of inputs) {
    shared.set(input, start);
    start += input.length;
  }
  return { ...rest, lengths, inputs: shared, outLengths, outputs: allocate(sum(outLengths)) };
}

function split(rows: CollectiveArray, lengths: readonly number[]): CollectiveArray[] {
  let end = 0;
  return lengths.map((length) => {
    end += length;
    return rows.slice(end - length, end);
  });
}

const sharedFloats = (length: number) => new Float32Array(new SharedArrayBuffer(length * 4));
const sharedInts = (length: number) => new Int32Array(new SharedArrayBuffer(length * 4));
const sum = (numbers: readonly number[]) => numbers.reduce((total, number) => total + number, 0);
