import {
  chmodSync,
  cpSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { ShardCache } from "@ringrank/rank-worker";
import { type Logger, pino } from "pino";
import { expect, test } from "vitest";
import { temporaryDirectory } from "../../../../test/support/temporary-directory.js";
import { shakespeareDirectory, zooDirectory } from "../../../model/src/testing/fixtures.js";
// Threads start from the build, so the build is tested.
import { type LoadOptions, listShardCache, loadModel } from "../../dist/index.js";
import { KeptPlan, type Plan } from "../../dist/loading/kept-plan.js";
import { checkLoadOptions } from "../../dist/options/check-load-options.js";

/** A logger of warnings, and its messages. */
function listener(): { logger: Logger; messages: string[] } {
  const messages: string[] = [];
  const write = (line: string): void => void messages.push((JSON.parse(line) as { msg: string }).msg);
  return { logger: pino({ level: "warn" }, { write }), messages };
}

/** A copy of a small checkpoint, and an empty cache. */
function modelAndCache(): { model: string; options: LoadOptions } {
  const model = temporaryDirectory();
  cpSync(zooDirectory("llama"), model, { recursive: true });
  return { model, options: { ranks: 2, precision: "int4", cacheDirectory: join(temporaryDirectory(), "c") } };
}

async function logitsOf(model: string, options: LoadOptions): Promise<unknown> {
  const loaded = await loadModel(model, options);
  const { logits } = await loaded.run({ input_ids: [[5, 6, 7, 8]] });
  await loaded.close();
  return logits!.data;
}

/** The only entry without weights. */
function entryOfPlan(directory: string): string {
  const entries = listShardCache(directory).filter(({ rank }) => rank === undefined);
  expect(entries).toHaveLength(1);
  return entries[0]!.path;
}

const planOf = (model: string, options: LoadOptions) =>
  KeptPlan.of(model, checkLoadOptions(options), listener().logger);

test("a second load has the same plan as the first, and the same logits bit for bit", async () => {
  const { model, options } = modelAndCache();
  const { logger, messages } = listener();
  const first = await logitsOf(model, { ...options, logger });
  const plan = planOf(model, options)!.read()!;
  expect(plan.programs.map(({ rank }) => rank)).toEqual([0, 1]);
  expect(await logitsOf(model, { ...options, logger })).toEqual(first);
  expect(messages).toEqual([]);
});

test("a plan of an earlier load is reused", async () => {
  const { model, options } = modelAndCache();
  const loaded = await loadModel(model, options);
  await loaded.close();
  const kept = planOf(model, options)!;
  const plan = kept.read()!;
  rmSync(entryOfPlan(options.cacheDirectory!), { recursive: true });
  using cache = ShardCache.open(plan.programs, options.cacheDirectory!, 1e9);
  // A new plan would not have this limit.
  kept.keep({ ...plan, facts: { ...plan.facts, maxContext: 7 } }, cache!);
  const again = await loadModel(model, options);
  await again.close();
  expect(again.maxContext).toBe(7);
});

test("a model with the plan of an earlier load takes texts, too", async () => {
  const { options } = modelAndCache();
  const generated = async (): Promise<readonly number[]> => {
    const loaded = await loadModel(shakespeareDirectory, options);
    const { ids } = await loaded.generate("ROMEO:\n", { maxNewTokens: 2, temperature: 0 }).result;
    await loaded.close();
    return ids;
  };
  const first = await generated();
  expect(planOf(shakespeareDirectory, options)!.read()).toBeDefined();
  expect(await generated()).toEqual(first);
});

test("a plan is reused for a blob of the HuggingFace cache that was downloaded again", async () => {
  const { model, options } = modelAndCache();
  const blob = join(temporaryDirectory(), "blobs", "a".repeat(64));
  mkdirSync(dirname(blob));
  renameSync(join(model, "model.safetensors"), blob);
  symlinkSync(blob, join(model, "model.safetensors"));
  const first = await logitsOf(model, options);
  utimesSync(blob, 1, 1);
  expect(planOf(model, options)!.read()).toBeDefined();
  expect(await logitsOf(model, options)).toEqual(first);
});

test("a stored plan says what identifies the weights for which it was made", async () => {
  const { model, options } = modelAndCache();
  await logitsOf(model, options);
  const plan = planOf(model, options)!.read()!;
  using cache = ShardCache.open(plan.programs, options.cacheDirectory!, 1e9);
  expect(plan.contents).toEqual(cache!.contents);
});

test("a plan that cannot be stored is logged, and is not needed", () => {
  const { model, options } = modelAndCache();
  const { logger, messages } = listener();
  const kept = KeptPlan.of(model, checkLoadOptions(options), logger)!;
  const keepPlan = () => {
    throw new Error("no space left");
  };
  kept.keep({ files: [] } as unknown as Plan, { contents: [], keepPlan } as unknown as ShardCache);
  expect(messages).toEqual(["cannot cache the plan of this load; the next one will plan again"]);
});

test("a damaged plan is made again", async () => {
  const { model, options } = modelAndCache();
  const first = await logitsOf(model, options);
  const file = join(entryOfPlan(options.cacheDirectory!), "plan");
  const bytes = readFileSync(file);
  bytes[bytes.length - 1]! ^= 1;
  writeFileSync(file, bytes);
  const { logger, messages } = listener();
  expect(await logitsOf(model, { ...options, logger })).toEqual(first);
  expect(messages).toEqual(["cannot use the plan of an earlier load; planning again"]);
  expect(planOf(model, options)!.read()).toBeDefined();
});

test("a plan is not reused for other options", async () => {
  const { model, options } = modelAndCache();
  await logitsOf(model, options);
  expect(planOf(model, options)!.read()).toBeDefined();
  const others: LoadOptions[] = [
    { dtype: "fp32" },
    { ranks: 1 },
    { threadsPerRank: 2 },
    { precision: "int8" },
    { activations: "float32" },
    { objective: "time" },
    { memoryPerRank: 1e9 },
    { policy: { factors: [] } },
  ];
  for (const other of others)
    expect(planOf(model, { ...options, ...other })!.read(), JSON.stringify(other)).toBeUndefined();
});

test("a plan is not reused for a model with a changed file", async () => {
  const { model, options } = modelAndCache();
  await logitsOf(model, options);
  writeFileSync(join(model, "generation_config.json"), '{ "temperature": 0.5 }');
  expect(planOf(model, options)!.read()).toBeUndefined();
});

test("a plan also depends on files in the model's folders, but not on hidden ones or those in nested folders", async () => {
  const { model, options } = modelAndCache();
  await logitsOf(model, options);
  const write = (path: string): void => {
    mkdirSync(dirname(join(model, path)), { recursive: true });
    writeFileSync(join(model, path), "");
  };
  for (const path of [".git/HEAD", ".note", "folder/deeper/file"]) write(path);
  expect(planOf(model, options)!.read()).toBeDefined();
  write("folder/file");
  expect(planOf(model, options)!.read()).toBeUndefined();
});

test("no plan is stored for weights in nested folders, which it does not depend on", async () => {
  const { model, options } = modelAndCache();
  const weights = join(model, "model.safetensors");
  const moved = "shards/parts/weights.safetensors";
  mkdirSync(dirname(join(model, moved)), { recursive: true });
  const names = namesIn(readFileSync(weights));
  renameSync(weights, join(model, moved));
  const index = { weight_map: Object.fromEntries(names.map((name) => [name, moved])) };
  writeFileSync(join(model, "model.safetensors.index.json"), JSON.stringify(index));
  await logitsOf(model, options);
  expect(planOf(model, options)!.read()).toBeUndefined();
});

/** The tensors of a safetensors file. */
function namesIn(file: Buffer): string[] {
  const header = file.subarray(8, 8 + Number(file.readBigUInt64LE()));
  return Object.keys(JSON.parse(header.toString()) as object).filter((name) => name !== "__metadata__");
}

test("an unfit cache directory is reported once, even if it has the plan", async () => {
  const { model, options } = modelAndCache();
  await logitsOf(model, options);
  chmodSync(options.cacheDirectory!, 0o755);
  const { logger, messages } = listener();
  await logitsOf(model, { ...options, logger });
  expect(messages).toEqual([expect.stringMatching(/^loading without the cache of quantized weights: .*755/)]);
});

test("no plan is stored for a model in a directory with more than 256 files", () => {
  const { model, options } = modelAndCache();
  const files = readdirSync(model).length;
  for (let index = files; index < 256; index++) writeFileSync(join(model, `${index}`), "");
  expect(planOf(model, options)).toBeDefined();
  writeFileSync(join(model, "256"), "");
  expect(planOf(model, options)).toBeUndefined();
});

test("a plan does not depend on a link that leads nowhere", async () => {
  const { model, options } = modelAndCache();
  await logitsOf(model, options);
  symlinkSync(join(model, "nothing"), join(model, "link"));
  expect(planOf(model, options)!.read()).toBeDefined();
});

test("no plan is stored for a model that is given as an id, or as a file", () => {
  const { model, options } = modelAndCache();
  expect(planOf("org/name", options)).toBeUndefined();
  expect(planOf(join(model, "model.safetensors"), options)).toBeUndefined();
});

test("no plan is stored if no weight is quantized, or without a cache", () => {
  const { model, options } = modelAndCache();
  expect(planOf(model, { ...options, precision: "float32" })).toBeUndefined();
  expect(planOf(model, { ...options, cache: false, cacheDirectory: undefined })).toBeUndefined();
});
