import { resolve } from "node:path";
import { pino } from "pino";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { checkLoadOptions, checkPlanOptions } from "./check-load-options.js";
import { checkEmbedOptions } from "./embed-options.js";
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
      memoryPerRank: undefined,
      precision: "float32",
      activations: undefined,
      hugePages: false,
      wire: "float32",
      requireGenerate: false,
      requireText: false,
      requireChat: false,
      cache: { maxBytes: 20e9 },
    });
  });

  it("are all passed on", () => {
    const { signal } = new AbortController();
    const shared = { dtype: "q4", ranks: 2, objective: "time", memoryPerRank: 5e6, signal } as const;
    const precision = { precision: "int8", activations: "float32" } as const;
    const others = { threadsPerRank: 3, hugePages: false, prefixCacheTokens: 4, wire: "float16" } as const;
    const callbacks = { onWarning: () => {}, onProgress: () => {}, logger: pino({ level: "silent" }) };
    const requirePrompt = { prompt: [5], options: { seed: 1 } };
    const given = { ...shared, ...precision, ...others, ...callbacks, requirePrompt, stepTimeoutMs: 500 };
    expect(checkPlanOptions({ ...shared, ...precision })).toMatchObject({ ...shared, ...precision });
    expect(checkLoadOptions(given)).toMatchObject(given);
    const { objective, ...undecided } = given;
    expect(checkLoadOptions({ ...undecided, policy: { version: 2 } }).policy).toEqual({ version: 2 });
  });

  it("refuse a relative path if the process's directory has been removed", () => {
    const cwd = vi.spyOn(process, "cwd").mockImplementation(() => {
      throw new Error("ENOENT, uv_cwd");
    });
    onTestFinished(() => cwd.mockRestore());
    const message =
      'trace: expected an absolute path, or a working directory that exists, got "t": ENOENT, uv_cwd';
    const refused = expect.objectContaining({ code: "RR_OPTION", message });
    expect(() => checkLoadOptions({ trace: "t", cache: false })).toThrow(refused);
  });

  it.each(["requireGenerate", "requireText", "requireChat"])(
    "require no more than is asked for: %s",
    (name) => {
      const none = { requireGenerate: false, requireText: false, requireChat: false };
      expect(checkLoadOptions({ [name]: true })).toMatchObject({ ...none, [name]: true });
    },
  );

  it("make paths absolute, since the process may change its directory", () => {
    const { trace, cache } = checkLoadOptions({ trace: "trace.json", cacheDirectory: "c", cacheMaxBytes: 7 });
    expect({ trace, cache }).toEqual({
      trace: resolve("trace.json"),
      cache: { directory: resolve("c"), maxBytes: 7 },
    });
    expect(checkLoadOptions({ cache: false }).cache).toBeUndefined();
  });

  it.each<LoadOptions>([
    { ranks: 64 },
    { threadsPerRank: 256 },
    { memoryPerRank: 1 },
    { memoryPerRank: Number.POSITIVE_INFINITY },
    { stepTimeoutMs: 100 },
    { stepTimeoutMs: Number.POSITIVE_INFINITY },
    { prefixCacheTokens: Number.POSITIVE_INFINITY },
    { activations: "float32" },
    { precision: "int4", activations: "int8" },
  ])("accept what is just within their limits: %o", (options) => {
    expect(checkLoadOptions(options)).toMatchObject(options);
  });

  it.each([0, Number.POSITIVE_INFINITY])("accept a cache of at most %d bytes", (cacheMaxBytes) => {
    expect(checkLoadOptions({ cacheMaxBytes }).cache?.maxBytes).toBe(cacheMaxBytes);
  });

  it.each<[object, string]>([
    [{ ranks: 65 }, "ranks: expected an integer from 1 to 64, got 65"],
    [{ stepTimeoutMs: 99 }, "stepTimeoutMs: expected a number of milliseconds from 100, or Infinity, got 99"],
    [
      { prefixCacheTokens: 0.5 },
      "prefixCacheTokens: expected a whole number of tokens from 0, or Infinity, got 0.5",
    ],
    [
      { memoryPerRank: -1 / 0 },
      "memoryPerRank: expected a number of bytes from 1, or Infinity, got -Infinity",
    ],
    [{ objective: "fun" }, 'objective: expected "memory" or "time", got "fun"'],
    [{ requireText: 1 }, "requireText: expected true or false, got 1"],
    [{ onWarning: "warn" }, 'onWarning: expected a function of (a warning), got "warn"'],
    [{ requirePrompt: {} }, "requirePrompt: expected { prompt, options }, got an object (Object)"],
  ])("say what was expected, and what came: %o", (options, message) => {
    expect(() => checkLoadOptions(options)).toThrow(message);
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
    ["half a thread", { threadsPerRank: 1.5 }],
    ["no thread", { threadsPerRank: 0 }],
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
    ["a required prompt with an invalid option", { requirePrompt: { prompt: "x", options: { seed: -1 } } }],
    ["no policy", { policy: null }],
    ["a trace without a path", { trace: "" }],
    ["a worker elsewhere", { workerUrl: "https://example.org/worker.js" }],
    ["a worker that is no URL", { workerUrl: { href: "file:///app/worker.js" } }],
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
});

describe("options of planModel", () => {
  it("refuse options that only make sense for loading", () => {
    const options: LoadOptions = { threadsPerRank: 2 };
    expect(() => checkPlanOptions(options)).toThrow(expect.objectContaining({ code: "RR_OPTION" }));
  });
});

describe("options of generate", () => {
  it("are the caller's, else those of generation_config.json, else the defaults", () => {
    const { sampling, maxNewTokens, ignoreEos } = checkGenerateOptions(
      { temperature: 0.5, topK: undefined },
      { temperature: 0.9, topK: 7 },
    );
    expect([ignoreEos, sampling.logprobs]).toEqual([false, false]);
    expect(sampling).toMatchObject({ temperature: 0.5, topK: 7, topP: 1, minP: 0, repetitionPenalty: 1 });
    expect(maxNewTokens).toBe(256);
  });

  it("may be inherited from options that several calls share", () => {
    const shared: GenerateOptions = { temperature: 0.5, stop: ["x"], maxNewTokens: 7 };
    const own: GenerateOptions = Object.assign(Object.create(shared), { maxNewTokens: 3 });
    const { sampling, stop, maxNewTokens } = checkGenerateOptions(own, {});
    expect([sampling.temperature, stop, maxNewTokens]).toEqual([0.5, ["x"], 3]);
  });

  it("are all passed on", () => {
    const { signal } = new AbortController();
    const sampling = {
      ...{ temperature: 0.5, topK: 3, topP: 0.75, minP: 0.25, repetitionPenalty: 1.5 },
      ...{ noRepeatNgramSize: 2, seed: 7, logprobs: true },
    };
    const others = { maxNewTokens: 9, stop: ["x", "y"], ignoreEos: true, decoderPrompt: [1], signal };
    const templateVariables = { mood: "merry" };
    const checked = checkGenerateOptions({ ...sampling, ...others, templateVariables }, {});
    expect(checked).toEqual({ sampling, ...others, templateVariables });
  });

  it.each<GenerateOptions>([
    { maxNewTokens: 1 },
    { maxNewTokens: Number.POSITIVE_INFINITY },
    { stop: new Array<string>(64).fill("x") },
  ])("accept what is just within their limits: %o", (options) => {
    expect(checkGenerateOptions(options, {})).toMatchObject(options);
  });

  it.each<GenerateOptions>([
    { topP: 0 },
    { topP: 1 },
    { minP: 1 },
    { topK: 1 },
    { noRepeatNgramSize: 1 },
    { repetitionPenalty: Number.MIN_VALUE },
    { seed: 0 },
    { seed: 2 ** 32 - 1 },
  ])("accept a limit of sampling: %o", (options) => {
    expect(checkGenerateOptions({ temperature: 1, ...options }, {}).sampling).toMatchObject(options);
  });

  it("get a new seed if none is given", () => {
    const seeds = Array.from({ length: 4 }, () => checkGenerateOptions({}, {}).sampling.seed);
    expect(new Set(seeds).size).toBeGreaterThan(1);
    // All four below have a probability of 2⁻⁶⁴.
    expect(Math.max(...seeds)).toBeGreaterThan(2 ** 16);
  });

  it.each<[string, object]>([
    ["no tokens", { maxNewTokens: 0 }],
    ["a negative temperature", { temperature: -1 }],
    ["an infinite temperature", { temperature: Number.POSITIVE_INFINITY }],
    ["a probability above one", { topP: 1.1 }],
    ["a share above one", { temperature: 1, minP: 1.1 }],
    ["half a token to generate", { maxNewTokens: 1.5 }],
    ["half a token to choose from", { temperature: 1, topK: 0.5 }],
    ["an n-gram of half a token", { noRepeatNgramSize: 0.5 }],
    ["a number of tokens that is not exact", { temperature: 1, topK: 2 ** 53 }],
    ["variables in an array", { templateVariables: [] }],
    ["no variables at all", { templateVariables: null }],
    ["a seed beyond 32 bits", { seed: 2 ** 32 }],
    ["an empty stop string", { stop: ["a", ""] }],
    ["more than 64 stop strings", { stop: new Array(65).fill("x") }],
    ["a misspelt option", { max_new_tokens: 3 }],
    ["a repetition penalty of nothing", { repetitionPenalty: 0 }],
  ])("refuse %s", (_, options) => {
    expect(() => checkGenerateOptions(options, {})).toThrow(expect.objectContaining({ code: "RR_OPTION" }));
  });
});

it("a decoder's prompt is copied, since the caller may change it", () => {
  const decoderPrompt = [1];
  const checked = checkGenerateOptions({ decoderPrompt }, {});
  decoderPrompt.push(2);
  expect(checked.decoderPrompt).toEqual([1]);
});

it("a variable that JSON does not have is named by its place", () => {
  const templateVariables = { tools: [() => 1] } as never;
  expect(() => checkGenerateOptions({ templateVariables }, {})).toThrow(
    "templateVariables.tools[0]: expected JSON, got a function",
  );
});

it("a number that has to be above another is said to be so", () => {
  expect(() => checkGenerateOptions({ repetitionPenalty: 0 }, {})).toThrow(
    "repetitionPenalty: expected a number above 0, got 0",
  );
});

describe("a limit on sampling", () => {
  const greedy = { temperature: 0 };
  const limits = [{ topK: 1 }, { topP: 0.9 }, { minP: 0.1 }];

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

describe("options of embed", () => {
  it("have no defaults, because the checkpoint may have some", () => {
    const nothing = { pooling: undefined, normalize: undefined, prompt: undefined, promptName: undefined };
    expect(checkEmbedOptions({})).toEqual({ ...nothing, signal: undefined });
  });

  it.each(["cls", "max", "mean", "mean_sqrt_len_tokens", "weightedmean", "lasttoken"] as const)(
    "take the pooling of sentence-transformers: %s",
    (pooling) => expect(checkEmbedOptions({ pooling }).pooling).toBe(pooling),
  );

  it.each<[string, object]>([
    ["an unknown pooling", { pooling: "median" }],
    ["a prompt that is not a text", { prompt: ["query: "] }],
    ["a prompt and the name of another", { prompt: "query: ", promptName: "document" }],
    ["a normalize that is not a boolean", { normalize: "L2" }],
    ["a signal of another type", { signal: {} }],
    ["a misspelt option", { normalise: true }],
  ])("refuse %s", (_, options) => {
    expect(() => checkEmbedOptions(options)).toThrow(expect.objectContaining({ code: "RR_OPTION" }));
  });
});

describe("options of run", () => {
  it("are all outputs and all logits by default", () => {
    expect(checkRunOptions({}, ["logits"])).toMatchObject({ outputs: ["logits"], logits: "all" });
  });

  it("name each output once", () => {
    const { outputs } = checkRunOptions({ outputs: ["logits", "logits"] }, ["logits", "hidden"]);
    expect(outputs).toEqual(["logits"]);
  });

  it.each<[string, object]>([
    ["logits of other positions", { logits: "first" }],
    ["a signal of another type", { signal: {} }],
  ])("refuse %s", (_, options) => {
    const refused = expect.objectContaining({ code: "RR_OPTION" });
    expect(() => checkRunOptions(options, ["logits"])).toThrow(refused);
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
