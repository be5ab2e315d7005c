import { getEventListeners } from "node:events";
import {
  cpSync,
  existsSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { BroadcastChannel } from "node:worker_threads";
// Threads start from the build, so the build is tested.
import {
  type LoadOptions,
  listShardCache,
  loadModel,
  type Model,
  type Progress,
  planModel,
  type RingrankError,
  type Tensor,
} from "@ringrank/coordinator";
import { buildGraph, type JsonObject, openCheckpoint, writeOnnx } from "@ringrank/model";
import { pino } from "pino";
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from "vitest";
import { advisedBytes } from "../../../../test/support/advised-bytes.js";
import { temporaryDirectory } from "../../../../test/support/temporary-directory.js";
import { workerThreads } from "../../../../test/support/worker-threads.js";
import { shakespeareDirectory, zooDirectory } from "../../../model/src/testing/fixtures.js";

/** Ranks that load nothing: one that reports when, one that is never done with it, and one that reports its options. */
const [timedRank, stuckRank, tellingRank] = ["timed", "stuck", "telling"].map(
  (kind) => new URL(`../testing/${kind}-rank.mjs`, import.meta.url),
);

describe("loadModel", () => {
  const directory = zooDirectory("llama");

  it("reports its progress: the plan, the weights of each rank, and that it is ready", async () => {
    const reports: Progress[] = [];
    const model = await loadModel(directory, { ranks: 2, onProgress: (one) => reports.push(one) });
    await model.close();
    expect(reports.map(({ phase }) => phase).filter((phase, i, all) => phase !== all[i - 1])).toEqual([
      "plan",
      "load",
      "ready",
    ]);
    for (const rank of [0, 1]) {
      const last = reports.findLast((report) => report.rank === rank)!;
      expect(last.bytesLoaded).toBe(last.bytesTotal);
      expect(last.bytesTotal).toBe(model.memory()[rank]!.bytesInMemory);
    }
    const inMemory = model.memory().reduce((sum, { bytesInMemory }) => sum + bytesInMemory, 0);
    expect(reports.at(-1)).toMatchObject({ bytesLoaded: inMemory, bytesTotal: inMemory });
  });

  it.each(["plan", "load", "ready"])(
    "rejects with the reason of a signal that is aborted when it reports %s",
    async (last) => {
      const aborting = new AbortController();
      const onProgress = ({ phase }: Progress) => {
        if (phase === last) aborting.abort("enough");
      };
      const loading = loadModel(directory, { ranks: 2, signal: aborting.signal, onProgress });
      await expect(loading).rejects.toBe("enough");
    },
  );

  it.each<[string, LoadOptions, object]>([
    [
      "one thread each, no logs, two minutes, and sums in float32, by default",
      {},
      { threads: 1, logLevel: "silent", hugePages: false, stepTimeoutMs: 120_000, wire: "float32" },
    ],
    ["as many threads as requested", { threadsPerRank: 3 }, { threads: 3 }],
    ["as much time for a step as requested", { stepTimeoutMs: 500 }, { stepTimeoutMs: 500 }],
    ["the form of sums that is requested", { wire: "int8" }, { wire: "int8" }],
    ["the level of the logger", { logger: pino({ level: "error" }) }, { logLevel: "error" }],
  ])("gives its ranks %s", async (_, options, given) => {
    vi.stubEnv("RINGRANK_LOG", undefined);
    onTestFinished(() => void vi.unstubAllEnvs());
    const model = await loadModel(directory, { ...options, ranks: 2, workerUrl: tellingRank });
    await model.close();
    expect(model.memory()).toMatchObject([given, given]);
  });

  it("gives its ranks a folder for files of weights, which is gone when it is ready", async () => {
    const model = await loadModel(directory, { workerUrl: tellingRank });
    const [{ scratchFolder }] = model.memory() as unknown as [{ scratchFolder: string }];
    const isLeft = existsSync(scratchFolder);
    await model.close();
    expect(scratchFolder).toMatch(/ringrank-/);
    expect(isLeft).toBe(false);
  });

  it("reports nothing more once it is ready, even if a rank does", async () => {
    const phases: string[] = [];
    const onProgress = ({ phase }: Progress) => void phases.push(phase);
    const model = await loadModel(directory, { workerUrl: tellingRank, onProgress });
    await model.close();
    expect(phases.at(-1)).toBe("ready");
  });

  it.each([
    ["disabled", undefined, "1"],
    ["left to the environment, if that says anything", "0", "0"],
  ])("has ONNX Runtime's telemetry %s", async (_, before, after) => {
    vi.stubEnv("ORT_DISABLE_TELEMETRY", before);
    onTestFinished(() => void vi.unstubAllEnvs());
    const model = await loadModel(directory, { workerUrl: tellingRank });
    await model.close();
    expect(process.env.ORT_DISABLE_TELEMETRY).toBe(after);
  });

  it("does nothing if its signal was aborted before", async () => {
    const onProgress = vi.fn();
    const trace = join(temporaryDirectory(), "trace.json");
    const loading = loadModel(directory, { signal: AbortSignal.abort("no"), onProgress, trace });
    await expect(loading).rejects.toBe("no");
    expect(onProgress).not.toHaveBeenCalled();
    expect(existsSync(trace)).toBe(false);
  });

  it("is never ready once its signal is aborted, even by the last report of a rank's weights", async () => {
    const aborting = new AbortController();
    const phases: string[] = [];
    const onProgress = ({ phase }: Progress) => {
      phases.push(phase);
      if (phase === "load") aborting.abort("enough");
    };
    // These ranks report nothing themselves: the only report is of all their bytes.
    const loading = loadModel(directory, { workerUrl: timedRank, signal: aborting.signal, onProgress });
    await expect(loading).rejects.toBe("enough");
    expect(phases).toEqual(["plan", "load"]);
  });

  it("does not wait for ranks that are loading when its signal is aborted", async () => {
    const aborting = new AbortController();
    const channel = new BroadcastChannel("loading");
    channel.onmessage = () => aborting.abort("enough");
    const loading = loadModel(directory, { workerUrl: stuckRank, signal: aborting.signal });
    await expect(loading).rejects.toBe("enough");
    channel.close();
    expect(workerThreads()).toBe(0);
  });

  it("does not wait for ranks that are loading when its tokenizer is broken", async () => {
    const broken = temporaryDirectory();
    cpSync(directory, broken, { recursive: true });
    writeFileSync(join(broken, "tokenizer.json"), "[]");
    const loading = loadModel(broken, { workerUrl: stuckRank });
    await expect(loading).rejects.toMatchObject({ code: "RR_FILE_FORMAT" });
    expect(workerThreads()).toBe(0);
  });

  it("caches no model that has more bytes than the cache may have", async () => {
    const cacheDirectory = join(temporaryDirectory(), "cache");
    await (await loadModel(directory, { precision: "int4", cacheDirectory, cacheMaxBytes: 1 })).close();
    expect(listShardCache(cacheDirectory)).toEqual([]);
  });

  it.each(["plan", "load"])("rejects with the error of a callback for %s", async (told) => {
    const onProgress = async ({ phase }: Progress): Promise<void> => {
      if (phase === told) throw new Error("the bar broke");
    };
    const loading = loadModel(directory, { ranks: 2, onProgress });
    await expect(loading).rejects.toThrow("the bar broke");
    expect(workerThreads()).toBe(0);
  });

  it("logs which tensors of the checkpoint the model does not use, if there are any", async () => {
    const fewer = temporaryDirectory();
    cpSync(directory, fewer, { recursive: true });
    const config = JSON.parse(readFileSync(join(fewer, "config.json"), "utf8")) as JsonObject;
    writeFileSync(join(fewer, "config.json"), JSON.stringify({ ...config, num_hidden_layers: 1 }));
    const logged: { unused?: string[] }[] = [];
    const write = (line: string): void => void logged.push(JSON.parse(line) as { unused?: string[] });
    const logger = pino({ level: "warn" }, { write });
    await (await loadModel(directory, { logger })).close();
    expect(logged).toEqual([]);
    await (await loadModel(fewer, { logger })).close();
    const layer = [...openCheckpoint(directory).tensors!.keys()].filter((name) =>
      name.includes(".layers.1."),
    );
    expect(logged.map(({ unused }) => unused?.sort())).toEqual([layer.sort()]);
  });

  it("leaves no listener on a signal, which may live longer", async () => {
    const { signal } = new AbortController();
    const nothing = temporaryDirectory({ "config.json": "{}" });
    await expect(loadModel(nothing, { signal })).rejects.toMatchObject({ code: "RR_CONFIG" });
    expect(getEventListeners(signal, "abort")).toEqual([]);
  });

  it("is not ready before its tokenizer is", async () => {
    const broken = temporaryDirectory();
    cpSync(directory, broken, { recursive: true });
    // It takes longer to read than these ranks take to load nothing.
    writeFileSync(join(broken, "tokenizer.json"), `[${"0,".repeat(2e6)}0]`);
    const phases: string[] = [];
    const onProgress = ({ phase }: Progress) => phases.push(phase);
    const loading = loadModel(broken, { workerUrl: timedRank, onProgress });
    await expect(loading).rejects.toMatchObject({ code: "RR_FILE_FORMAT" });
    expect(phases).not.toContain("ready");
  });

  it.runIf(existsSync("/proc/self/fd"))("keeps no file of the model open", async () => {
    const model = await loadModel(directory, { ranks: 2 });
    const links = readdirSync("/proc/self/fd").map((fd) => join("/proc/self/fd", fd));
    // The descriptor that lists the others is closed by now.
    const open = links.filter((link) => existsSync(link)).map((link) => readlinkSync(link));
    await model.close();
    expect(open.filter((path) => path.startsWith(realpathSync(directory)))).toEqual([]);
  });

  it("uses what relative paths referred to when it was called, even if the process has changed its directory", async () => {
    const folder = temporaryDirectory();
    cpSync(zooDirectory("llama"), join(folder, "model"), { recursive: true });
    const began = process.cwd();
    process.chdir(folder);
    const loading = loadModel("model", { precision: "int4", cacheDirectory: "cache" });
    const planning = planModel("model");
    process.chdir(began);
    await (await loading).close();
    await planning;
    expect(listShardCache(join(folder, "cache"))).not.toEqual([]);
  });

  it("accepts a policy from planModel, also as JSON", async () => {
    const policy = await planModel(directory, { ranks: 2, objective: "time" });
    for (const given of [policy, JSON.parse(JSON.stringify(policy)) as object]) {
      const model = await loadModel(directory, { ranks: 2, policy: given });
      await model.close();
      expect(model.policy.toJSON()).toEqual(policy.toJSON());
      expect(model.memory().map(({ bytesKept }) => bytesKept)).toEqual(policy.bytesPerRank);
    }
  });
});

describe.runIf(process.platform === "linux")("loadModel with huge pages", () => {
  it("requests them wherever a rank computes, and nowhere otherwise", async () => {
    const advised = async (hugePages: boolean) => {
      const model = await loadModel(shakespeareDirectory, { ranks: 2, hugePages });
      const bytes = advisedBytes();
      const { text } = await model.generate("ROMEO:\n", { maxNewTokens: 8, temperature: 0 }).result;
      await model.close();
      return { bytes, text };
    };
    const without = await advised(false);
    const asked = await advised(true);
    // Each rank's memory is as large as 32-bit addresses reach.
    expect(asked.bytes - without.bytes).toBeGreaterThanOrEqual(2 * 2 ** 32);
    expect(asked.text).toBe(without.text);
  });
});

describe("loadModel with a required capability", () => {
  it.each([
    ["generates", { requireGenerate: true }, "RR_NO_GENERATE", zooDirectory("bert")],
    ["takes text", { requireText: true }, "RR_NO_TOKENIZER", zooDirectory("llama")],
    ["takes messages", { requireChat: true }, "RR_NO_CHAT_TEMPLATE", shakespeareDirectory],
    ["takes messages, and therefore text,", { requireChat: true }, "RR_NO_TOKENIZER", zooDirectory("llama")],
  ])("refuses a model before it reads a weight unless it %s", async (_, required, code, path) => {
    const reports: Progress[] = [];
    const onProgress = (report: Progress) => reports.push(report);
    await expect(loadModel(path, { onProgress, ...required })).rejects.toMatchObject({ code });
    expect(reports.map(({ phase }) => phase)).toEqual(["plan"]);
  });
});

describe("loadModel with the first prompt", () => {
  it.each([
    ["an empty text", { prompt: "" }, "RR_EMPTY_PROMPT"],
    ["a text longer than the context", { prompt: "Juliet ".repeat(600) }, "RR_CONTEXT"],
    ["an id beyond the vocabulary", { prompt: [2048] }, "RR_TOKEN_ID"],
    ["messages without a template", { prompt: [{ role: "user", content: "Who?" }] }, "RR_NO_CHAT_TEMPLATE"],
    ["a decoder's prompt without an encoder", { prompt: "x", options: { decoderPrompt: [2] } }, "RR_OPTION"],
  ])("refuses %s before it reads a weight", async (_, requirePrompt, code) => {
    const reports: Progress[] = [];
    const onProgress = (report: Progress) => reports.push(report);
    const loading = loadModel(shakespeareDirectory, { onProgress, requirePrompt });
    await expect(loading).rejects.toMatchObject({ code });
    expect(reports.map(({ phase }) => phase)).toEqual(["plan"]);
  });

  it("refuses invalid options before it plans", async () => {
    const onProgress = vi.fn();
    const requirePrompt = { prompt: "x", options: { temperature: -1 } };
    const loading = loadModel(shakespeareDirectory, { onProgress, requirePrompt });
    await expect(loading).rejects.toMatchObject({ code: "RR_OPTION" });
    expect(onProgress).not.toHaveBeenCalled();
  });

  it("loads a model that accepts it", async () => {
    const prompt = "ROMEO:\n";
    const options = { maxNewTokens: 2, stop: "yet" };
    const model = await loadModel(shakespeareDirectory, { requirePrompt: { prompt, options } });
    expect((await model.generate(prompt, options).result).usage.completionTokens).toBe(2);
    await model.close();
  });
});

describe("a generation config with unsupported fields", () => {
  const blenderbot = zooDirectory("blenderbot");
  const field = "encoder_no_repeat_ngram_size";
  const setting = { code: "RR_UNSUPPORTED_SETTING", message: expect.stringContaining(field) };

  it("is reported to the caller's function", async () => {
    const warnings: RingrankError[] = [];
    await (await loadModel(blenderbot, { onWarning: (warning) => warnings.push(warning) })).close();
    expect(warnings).toEqual([expect.objectContaining(setting)]);
  });

  it("is reported before weights are read: a model whose files change then is not loaded", async () => {
    const directory = temporaryDirectory();
    cpSync(blenderbot, directory, { recursive: true });
    const file = join(directory, "model.safetensors");
    const onWarning = () => utimesSync(file, 1, 1);
    await expect(loadModel(directory, { onWarning })).rejects.toMatchObject({
      code: "RR_FILE_FORMAT",
      message: expect.stringContaining(`${file} was changed`),
    });
  });

  it("is not loaded if the signal is aborted when that is reported", async () => {
    const aborting = new AbortController();
    const phases: string[] = [];
    const loading = loadModel(blenderbot, {
      signal: aborting.signal,
      onWarning: () => aborting.abort("not like this"),
      onProgress: ({ phase }) => phases.push(phase),
    });
    await expect(loading).rejects.toBe("not like this");
    expect(phases).toEqual(["plan"]);
  });

  it("is not reported of a model that does not generate", async () => {
    const encoder = temporaryDirectory();
    cpSync(zooDirectory("bert"), encoder, { recursive: true });
    writeFileSync(join(encoder, "generation_config.json"), '{ "num_beams": 4 }');
    const onWarning = vi.fn();
    await (await loadModel(encoder, { onWarning })).close();
    expect(onWarning).not.toHaveBeenCalled();
  });

  it("is reported by Node if nobody else listens", async () => {
    const emitWarning = vi.spyOn(process, "emitWarning").mockImplementation(() => {});
    await (await loadModel(blenderbot)).close();
    const { code, message } = setting;
    expect(emitWarning).toHaveBeenCalledExactlyOnceWith(message, { type: "RingrankWarning", code });
    emitWarning.mockRestore();
  });
});

describe("a loaded model", () => {
  let model: Model;
  beforeAll(async () => {
    model = await loadModel(shakespeareDirectory, { ranks: 2 });
  });
  afterAll(() => model.close());

  it("masks padding: a padded row has the same logits as alone", async () => {
    const alone = (await model.run({ input_ids: [[5, 6]] }, { logits: "last" })).logits as Tensor;
    const padded = await model.run(
      {
        input_ids: [
          [5, 6, 0],
          [7, 8, 9],
        ],
        attention_mask: [
          [1, 1, 0],
          [1, 1, 1],
        ],
      },
      { logits: "last" },
    );
    const row = (padded.logits!.data as Float32Array).subarray(0, 2048);
    // Rows of a batch share products of another shape, whose sums are rounded in another order.
    expect(row).toBeAllclose(alone.data as Float32Array, { rtol: 0, atol: 1e-4 });
  });

  it("computes a sequence's logits as run does", async () => {
    const ids = [5, 6, 7, 8];
    const whole = (await model.run({ input_ids: [ids] })).logits!;
    const sequence = model.sequence();
    const first = await sequence.append(ids.slice(0, 3));
    const second = await sequence.append(ids.slice(3));
    expect(sequence.length).toBe(4);
    sequence.close();
    const logits = [...first.logits.data, ...second.logits.data];
    // As above: one product of four rows against one of three and one of one.
    expect(logits).toBeAllclose(whole.data as Float32Array, { rtol: 0, atol: 1e-4 });
  });

  it("ends a text at a stop string, wherever tokens end", async () => {
    const { text, finishReason } = await model.generate("ROMEO:\n", { temperature: 0, stop: "yet a f" })
      .result;
    expect(text).toBe("I am not so:\nI am not ");
    expect(finishReason).toBe("stop");
  });

  it("samples the same tokens for the same seed", async () => {
    const options = { maxNewTokens: 12, temperature: 0.9, topP: 0.9, seed: 42, ignoreEos: true };
    const texts = await Promise.all([1, 2].map(() => model.generate("KING:", options).result));
    expect(texts[0]!.ids).toEqual(texts[1]!.ids);
  });
});

describe("a rank that fails while it loads", () => {
  it("rejects with its own error, which says more than that the rank failed", async () => {
    const gone = temporaryDirectory();
    cpSync(zooDirectory("blenderbot"), gone, { recursive: true });
    // The warning of this model comes after planning, and before weights are read.
    const onWarning = () => rmSync(join(gone, "model.safetensors"));
    await expect(loadModel(gone, { onWarning })).rejects.toMatchObject({ code: "RR_MISSING_FILE" });
  });
});

describe("an .onnx file", () => {
  it("runs split like the checkpoint from which it was written", async () => {
    const directory = zooDirectory("llama");
    const { graph } = buildGraph(openCheckpoint(directory));
    const path = await writeOnnx(graph, temporaryDirectory());
    const fromCheckpoint = await loadModel(directory, { ranks: 2 });
    const fromFile = await loadModel(path, { ranks: 2 });
    const input_ids = [[5, 6, 7]];
    const expected = (await fromCheckpoint.run({ input_ids })).logits!;
    // ONNX does not say which inputs are a cache, so an empty one is passed like any input.
    const pasts = graph.caches.flatMap(({ positions, states }) => [
      [positions, { type: "int64", dims: [1, 0], data: new BigInt64Array(0) } satisfies Tensor] as const,
      ...states.map(({ past }) => [past, emptyPast(past)] as const),
    ]);
    const given = { input_ids, attention_mask: [[1, 1, 1]], position_ids: [[0, 1, 2]] };
    const outputs = await fromFile.run({ ...given, ...Object.fromEntries(pasts) }, { outputs: ["logits"] });
    await Promise.all([fromCheckpoint.close(), fromFile.close()]);
    expect(outputs.logits!.data as Float32Array).toBeAllclose(expected.data as Float32Array, {
      rtol: 0,
      // The same operators on the same weights.
      atol: 1e-5,
    });

    function emptyPast(name: string): Tensor {
      const { dims } = graph.inputs.find((input) => input.name === name)!;
      const sizes = dims.map((dim) => (typeof dim === "number" ? dim : dim === "batch" ? 1 : 0));
      return { type: "float32", dims: sizes, data: new Float32Array(0) };
    }
  });
});
