import { describe, expect, it } from "vitest";
import { checkLoadOptions, checkPlanOptions } from "./check-load-options.js";
import { checkGenerateOptions, type GenerateOptions, validateGenerateOptions } from "./generate-options.js";
import type { LoadOptions } from "./load-options.js";
import { checkRunOptions, type RunOptions } from "./run-options.js";

describe("options of loadModel", () => {
  it("have the documented defaults", () => {
    expect(checkLoadOptions({})).toMatchObject({
      ranks: 1,
      objective: "memory",
      threadsPerRank: 1,
      stepTimeoutMs: 120_000,
      prefixCacheTokens: 0,
    });
  });

  it.each([0, -1, 1.5, 1000, Number.NaN])("refuse %d ranks", (ranks) => {
    expect(() => checkLoadOptions({ ranks })).toThrow(
      expect.objectContaining({ code: "RR_RANKS", message: expect.stringContaining(`got ${ranks}`) }),
    );
  });

  it.each<[string, object]>([
    ["a timeout as text", { stepTimeoutMs: "soon" }],
    ["a timeout below 100 ms", { stepTimeoutMs: 99 }],
    ["half a cached token", { prefixCacheTokens: 0.5 }],
    ["fewer than no cached tokens", { prefixCacheTokens: -1 }],
    ["an unknown objective", { objective: "fun" }],
    ["no memory at all", { memoryPerRank: 0 }],
    ["half a thread", { threadsPerRank: 0.5 }],
    ["an unknown wire", { wire: "float8" }],
    ["a hugePages that is not a boolean", { hugePages: "always" }],
    ["activations without a type", { precision: "int8", activations: "" }],
    ["rounded activations with float32 weights", { activations: "int8" }],
    ["a signal of another type", { signal: {} }],
    ["a logger of another kind", { logger: { ...console, child: () => console } }],
    ["a policy that is text", { policy: "split it" }],
    ["an objective together with a policy", { policy: {}, objective: "time" }],
    ["a directory for a disabled cache", { cache: false, cacheDirectory: "there" }],
    ["a size for a disabled cache", { cache: false, cacheMaxBytes: 1e9 }],
    ["a cache that is not a boolean", { cache: "no" }],
    ["an empty cache directory", { cacheDirectory: "" }],
    ["more than 256 threads", { threadsPerRank: 257 }],
    ["an unknown dtype", { dtype: "fp64" }],
    ["progress without a function", { onProgress: true }],
    ["a misspelt option of a required prompt", { requirePrompt: { prompt: "x", option: {} } }],
    ["a worker elsewhere", { workerUrl: "https://example.org/worker.js" }],
    ["an unknown option", { rank: 2 }],
  ])("refuse %s", (_, options) => {
    expect(() => checkLoadOptions(options as LoadOptions)).toThrow(
      expect.objectContaining({ code: "RR_OPTION", message: expect.stringMatching(/expected .* got /) }),
    );
  });

  it("take a worker's module as a URL, too", () => {
    const href = "file:///app/rank%20worker.js";
    for (const workerUrl of [href, new URL(href)])
      expect(checkLoadOptions({ workerUrl }).workerUrl).toBe(href);
  });

  it("allow waiting forever", () => {
    expect(checkLoadOptions({ stepTimeoutMs: Number.POSITIVE_INFINITY }).stepTimeoutMs).toBe(Infinity);
  });
});

describe("options of planModel", () => {
  it("refuse options that only make sense for loading", () => {
    const options: LoadOptions = { threadsPerRank: 2 };
    expect(() => checkPlanOptions(options)).toThrow(expect.objectContaining({ code: "RR_OPTION" }));
  });
});

describe("options of generate", () => {
  it("are the caller's, else those of generation_config.json, else the defaults", () => {
    const { sampling, maxNewTokens } = checkGenerateOptions(
      { temperature: 0.5, topK: undefined },
      { temperature: 0.9, topK: 7 },
    );
    expect(sampling).toMatchObject({ temperature: 0.5, topK: 7, topP: 1, minP: 0, repetitionPenalty: 1 });
    expect(maxNewTokens).toBe(256);
  });

  it("may be inherited from options that several calls share", () => {
    const shared: GenerateOptions = { temperature: 0.5, stop: ["x"], maxNewTokens: 7 };
    const own: GenerateOptions = Object.assign(Object.create(shared), { maxNewTokens: 3 });
    const { sampling, stop, maxNewTokens } = checkGenerateOptions(own, {});
    expect([sampling.temperature, stop, maxNewTokens]).toEqual([0.5, ["x"], 3]);
  });

  it("get a new seed if none is given", () => {
    const seeds = Array.from({ length: 4 }, () => checkGenerateOptions({}, {}).sampling.seed);
    expect(new Set(seeds).size).toBeGreaterThan(1);
  });

  it.each<[string, object]>([
    ["no tokens", { maxNewTokens: 0 }],
    ["a negative temperature", { temperature: -1 }],
    ["an infinite temperature", { temperature: Number.POSITIVE_INFINITY }],
    ["a probability above one", { topP: 1.1 }],
    ["a seed beyond 32 bits", { seed: 2 ** 32 }],
    ["an empty stop string", { stop: ["a", ""] }],
    ["more than 64 stop strings", { stop: new Array(65).fill("x") }],
    ["a misspelt option", { max_new_tokens: 3 }],
    ["a repetition penalty of nothing", { repetitionPenalty: 0 }],
  ])("refuse %s", (_, options) => {
    expect(() => checkGenerateOptions(options, {})).toThrow(expect.objectContaining({ code: "RR_OPTION" }));
  });
});

describe("a limit on sampling", () => {
  const greedy = { temperature: 0 };
  const limits = [{ topK: 5 }, { topP: 0.9 }, { minP: 0.1 }];

  it.each(limits)("is refused if neither the model nor the caller samples: %j", (limit) => {
    expect(() => checkGenerateOptions(limit, greedy)).toThrow(
      /^expected a temperature with (topK|topP|minP) /,
    );
  });

  it.each(limits)("is accepted with a temperature, even 0, from the caller or the model: %j", (limit) => {
    expect(checkGenerateOptions({ ...limit, temperature: 0.8 }, greedy).sampling).toMatchObject(limit);
    expect(checkGenerateOptions({ ...limit, temperature: 0 }, greedy).sampling).toMatchObject(limit);
    expect(checkGenerateOptions(limit, { temperature: 0.8 }).sampling).toMatchObject(limit);
  });

  it("is ignored if it limits nothing", () => {
    const none = { topK: 0, topP: 1, minP: 0 };
    expect(checkGenerateOptions(none, greedy).sampling).toMatchObject(none);
  });

  it.each(limits)("is accepted for a model that is not known yet: %j", (limit) => {
    expect(() => validateGenerateOptions(limit)).not.toThrow();
  });
});

describe("options of run", () => {
  it("are all outputs and all logits by default", () => {
    expect(checkRunOptions({}, ["logits"])).toMatchObject({ outputs: ["logits"], logits: "all" });
  });

  it.each<[string, unknown, string]>([
    ["an output that the graph does not have", ["hidden"], 'some of logits, got "hidden"'],
    ["anything but a name", [Symbol("logits")], "some of logits, got Symbol(logits)"],
    ["a name that is not in an array", "logits", 'an array of some of logits, got "logits"'],
    ["no output at all", [], "an array of some of logits, got an array of 0"],
  ])("refuse %s", (_, outputs, said) => {
    expect(() => checkRunOptions({ outputs } as RunOptions, ["logits"])).toThrow(`outputs: expected ${said}`);
  });
});
