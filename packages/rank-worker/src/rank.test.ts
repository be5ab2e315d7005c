import { join } from "node:path";
import { createGroup, groupActivity, joinGroup } from "@ringrank/collectives";
import { pino } from "pino";
import { beforeAll, describe, expect, test } from "vitest";
import { temporaryDirectory } from "../../../test/support/temporary-directory.js";
import { Lifecycle, NativeGate } from "./lifecycle.js";
import type { StepRow } from "./protocol.js";
import { Rank } from "./rank.js";
import { type Call, greedy, inRanks } from "./testing/in-ranks.js";
import { tinyDecoder, vocabulary } from "./testing/tiny-decoder.js";

const heads = 3;
const prompt = Array.from({ length: 9 }, (_, i) => (i * 5 + 2) % vocabulary);
/** fp32 sums of at most 12 terms of size ~1, in another order. */
const tolerance = { rtol: 1e-4, atol: 1e-4 };

const whole: Call = [
  "run",
  {
    entry: "forward",
    inputs: {
      input_ids: { type: "int64", dims: [1, prompt.length], data: BigInt64Array.from(prompt, BigInt) },
    },
    outputs: ["logits"],
    logits: "all",
  },
];
const unsplit = await inRanks(tinyDecoder({ heads, worldSize: 1 }), [whole]);
const reference = unsplit[0]!.results[0]!.outputs.logits!;

const logitsOf = (sequence: number, ids: readonly number[]): StepRow => ({ sequence, ids, want: "logits" });
const tokenOf = (sequence: number, ids: readonly number[]): StepRow => ({
  sequence,
  ids,
  want: "token",
  sampling: { ...greedy, logprobs: true },
});

describe.each([1, 2, 3, 4])("%i ranks", (worldSize) => {
  const programs = tinyDecoder({ heads, worldSize });
  const chunked = (sequence: number, chunk: number): Call[] =>
    Array.from({ length: Math.ceil(prompt.length / chunk) }, (_, at) => [
      "step",
      { close: [], rows: [logitsOf(sequence, prompt.slice(at * chunk, (at + 1) * chunk))] },
    ]);
  const chunks = [...chunked(1, 1), ...chunked(2, 4), ...chunked(3, prompt.length)];
  const calls: Call[] = [...chunks, whole, ["step", { close: [], rows: [tokenOf(4, prompt)] }]];
  // One start of the ranks for all tests.
  let ranks: Awaited<ReturnType<typeof inRanks>>;
  beforeAll(async () => {
    ranks = await inRanks(programs, calls);
  });

  test("compute the logits of the unsplit model, only returned by rank 0", () => {
    const [first, ...others] = ranks.map(({ results }) => results[chunks.length]!.outputs);
    expect(first!.logits!.dims).toEqual([1, prompt.length, vocabulary]);
    expect(first!.logits!.data as Float32Array).toBeAllclose(reference.data as Float32Array, tolerance);
    expect(others).toEqual(others.map(() => ({})));
  });

  test("compute the same logits token by token, in chunks, and all at once", () => {
    const results = ranks[0]!.results.slice(0, chunks.length);
    const rows = results.flatMap((result) => result.rows.flatMap((row) => [...row.logits!]));
    const expected = [...(reference.data as Float32Array)];
    expect(rows).toBeAllclose([...expected, ...expected, ...expected], tolerance);
    expect(results.at(-1)!.counters).toMatchObject({ steps: 9 + 3 + 1, tokens: 27 });
  });

  test("choose the likeliest token and its log-probability", () => {
    const last = (reference.data as Float32Array).slice(-vocabulary);
    const likeliest = last.indexOf(Math.max(...last));
    const { token, logprob } = ranks[0]!.results.at(-1)!.rows[0]!;
    const sum = last.reduce((total, logit) => total + Math.exp(logit), 0);
    expect(token).toBe(likeliest);
    expect([logprob!]).toBeAllclose([last[likeliest]! - Math.log(sum)], tolerance);
  });

  test("keep and report exactly the bytes of their programs", () => {
    for (const [rank, { report, progress }] of ranks.entries()) {
      const { bytes, segments } = programs[rank]!;
      expect(report).toEqual({
        bytesKept: bytes,
        bytesInMemory: bytes,
        bytesRead: 0,
        sessions: segments.length,
      });
      expect(progress.at(-1)).toEqual({ rank, bytesLoaded: bytes, bytesTotal: bytes });
    }
  });
});

test("the public API gives the same bits as the synchronous binding", async () => {
  const programs = tinyDecoder({ heads, worldSize: 2 });
  const calls: Call[] = [whole, ["step", { close: [], rows: [tokenOf(1, prompt)] }]];
  const synchronous = await inRanks(programs, calls);
  const published = await inRanks(programs, calls, { binding: "public" });
  const [bits, reference] = [published, synchronous].map(([first]) =>
    first!.results.map(({ outputs, rows }) => ({ outputs, rows })),
  );
  expect(bits).toEqual(reference);
});

test("sessions with several threads give the same logits as with one", async () => {
  const programs = tinyDecoder({ heads, worldSize: 1 });
  const [two] = await inRanks(programs, [whole], { threads: 2 });
  expect(two!.results[0]!.outputs.logits!.data as Float32Array).toBeAllclose(
    reference.data as Float32Array,
    tolerance,
  );
});

test("a run for the last position returns one row per sequence, ignoring padding", async () => {
  const padded = [...prompt, 0, 0];
  const mask = padded.map((_, at) => (at < prompt.length ? 1 : 0));
  const int64 = (values: number[]) => ({
    type: "int64" as const,
    dims: [1, values.length],
    data: BigInt64Array.from(values, BigInt),
  });
  const [first] = await inRanks(tinyDecoder({ heads, worldSize: 2 }), [
    [
      "run",
      {
        entry: "forward",
        inputs: { input_ids: int64(padded), attention_mask: int64(mask) },
        outputs: ["logits"],
        logits: "last",
      },
    ],
  ]);
  const logits = first!.results[0]!.outputs.logits!;
  expect(logits.dims).toEqual([1, 1, vocabulary]);
  expect(logits.data as Float32Array).toBeAllclose(
    (reference.data as Float32Array).slice(-vocabulary),
    tolerance,
  );
});

describe("a rank's sessions", () => {
  const [program] = tinyDecoder({ heads, worldSize: 1 });
  /**
   * A rank, and how many sessions it has open.
   *
   * @param refuses whether it cannot open another one, with its weights in this folder if there is one
   */
  function newRank(
    lifecycle = new Lifecycle(1),
    refuses = (_open: number, _folder: unknown) => false,
    message = "refused",
  ) {
    const sessions = { open: 0 };
    const group = createGroup({ worldSize: 1 });
    const rank = new Rank({
      communicator: joinGroup(group, 0),
      gate: new NativeGate(lifecycle.buffer, 0),
      openSession: async (_, { extra }) => {
        const { session } = extra as { session: Readonly<Record<string, unknown>> };
        if (refuses(sessions.open, session.model_external_initializers_file_folder_path)) {
          throw new Error(message);
        }
        sessions.open++;
        return { run: () => expect.fail("nothing runs"), release: () => void sessions.open-- };
      },
      log: pino({ level: "silent" }),
    });
    return { rank, sessions, group };
  }

  test("are opened with a sign of life for each weight, so that a long load does not count as silence", async () => {
    const { rank, group } = newRank();
    const moves = () => groupActivity(group)[0]!.count;
    const before = moves();
    await rank.load(program!, { threads: 1 });
    expect(moves() - before).toBeGreaterThanOrEqual(Object.keys(program!.weights).length);
  });

  test("are released with the rank if the program cannot be compiled", async () => {
    const { rank, sessions } = newRank();
    const steps = [{ kind: "allReduce", value: "nowhere" } as const];
    const entries = Object.entries(program!.entries).map(([name, entry]) => [name, { ...entry, steps }]);
    const loading = rank.load({ ...program!, entries: Object.fromEntries(entries) }, { threads: 1 });
    await expect(loading).rejects.toMatchObject({ cause: { code: "RR_POLICY" } });
    expect(sessions.open).toBeGreaterThan(0);
    await rank.release();
    expect(sessions.open).toBe(0);
  });

  test("are released at once if the runtime refuses one of them", async () => {
    const { rank, sessions } = newRank(new Lifecycle(1), (open) => open === 1);
    const loading = rank.load(program!, { threads: 1 });
    await expect(loading).rejects.toMatchObject({
      cause: { code: "RR_GRAPH", cause: { message: "refused" } },
    });
    expect(sessions.open).toBe(0);
  });

  test("have threads of their own; if the system refuses one, the rank says what to do", async () => {
    const { rank } = newRank(
      new Lifecycle(1),
      () => true,
      "PosixThread(const char*) pthread_create failed, error code: 11",
    );
    await expect(rank.load(program!, { threads: 4 })).rejects.toMatchObject({
      code: "RR_RANK_FAILED",
      rank: 0,
      message: expect.stringMatching(/ONNX Runtime cannot start a thread .* Lower threadsPerRank, or raise/),
    });
  });

  test("are released at once if the program has a weight that nothing uses", async () => {
    const { rank, sessions } = newRank();
    const [weight] = Object.values(program!.weights);
    const weights = { ...program!.weights, unused: weight! };
    const loading = rank.load({ ...program!, weights }, { threads: 1 });
    await expect(loading).rejects.toMatchObject({ cause: { code: "RR_POLICY" } });
    expect(sessions.open).toBe(0);
  });

  test("get the model's weights if the cached ones are removed while it loads", async () => {
    const directory = temporaryDirectory();
    const cachedShard = { entry: join(directory, "entry"), staging: join(directory, "staging") };
    await newRank().rank.load(program!, { threads: 1, cachedShard });
    const isCached = (_open: number, folder: unknown) => String(folder).startsWith(cachedShard.entry);
    const { rank, sessions } = newRank(new Lifecycle(1), isCached);
    await rank.load(program!, { threads: 1, cachedShard });
    expect(sessions.open).toBe(program!.segments.length);
  });

  test("are released if that is asked before they are all open", async () => {
    const { rank, sessions } = newRank();
    await Promise.all([rank.load(program!, { threads: 1 }), rank.release()]);
    expect(sessions.open).toBe(0);
  });

  test("stay open if the process is ending, when no native code may be entered", async () => {
    const lifecycle = new Lifecycle(1);
    const { rank, sessions } = newRank(lifecycle);
    await rank.load(program!, { threads: 1 });
    const { open } = sessions;
    lifecycle.stop();
    await rank.release();
    expect(sessions.open).toBe(open);
  });
});
