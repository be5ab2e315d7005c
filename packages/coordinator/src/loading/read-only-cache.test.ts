import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { temporaryDirectory } from "../../../../test/support/temporary-directory.js";
import { zooDirectory } from "../../../model/src/testing/fixtures.js";
// Threads start from the build, so the build is tested.
import { listShardCache, loadModel } from "../../dist/index.js";

interface Outcome {
  readonly warnings: readonly string[];
  /** Bytes read from the model's files, by all ranks. */
  readonly bytesRead: number;
  readonly logits: readonly number[];
}

const model = zooDirectory("llama");
const program = `
  import { loadModel } from ${JSON.stringify(new URL("../../dist/index.js", import.meta.url).href)};
  const [path, cacheDirectory] = process.argv.slice(1);
  const warnings = [];
  const onWarning = ({ code, message }) => warnings.push(code + ": " + message);
  const model = await loadModel(path, { ranks: 2, precision: "int4", cacheDirectory, onWarning });
  const { logits } = await model.run({ input_ids: [[5, 6, 7, 8]] });
  const bytesRead = model.memory().reduce((sum, rank) => sum + rank.bytesRead, 0);
  await model.close();
  console.log(JSON.stringify({ warnings, bytesRead, logits: [...logits.data] }));
`;

/**
 * Loads the model where Node's permission model forbids all writing. File modes would not stop a root user, who runs
 * tests in many containers.
 */
function loadReadOnly(cacheDirectory: string): Outcome {
  const flag = process.allowedNodeEnvironmentFlags.has("--permission")
    ? "--permission"
    : "--experimental-permission";
  const allowed = [flag, "--allow-fs-read=*", "--allow-worker", "--allow-addons", "--no-warnings"];
  const given = ["--input-type=module", "--eval", program, model, cacheDirectory];
  return JSON.parse(execFileSync(process.execPath, [...allowed, ...given], { encoding: "utf8" })) as Outcome;
}

/** A cache that an ordinary load has filled, and that load's outcome. */
async function filledCache(): Promise<{ kept: string; first: Outcome }> {
  const kept = join(temporaryDirectory(), "cache");
  const loaded = await loadModel(model, { ranks: 2, precision: "int4", cacheDirectory: kept });
  const { logits } = await loaded.run({ input_ids: [[5, 6, 7, 8]] });
  const bytesRead = loaded.memory().reduce((sum, rank) => sum + rank.bytesRead, 0);
  await loaded.close();
  return { kept, first: { warnings: [], bytesRead, logits: Array.from(logits!.data, Number) } };
}

it("uses a read-only cache", async () => {
  const { kept, first } = await filledCache();
  expect(first.bytesRead).toBeGreaterThan(0);
  expect(loadReadOnly(kept)).toEqual({ ...first, bytesRead: 0 });
});

it("loads without a read-only cache that lacks the model, with one warning", () => {
  const { warnings, bytesRead } = loadReadOnly(temporaryDirectory());
  expect(bytesRead).toBeGreaterThan(0);
  expect(warnings).toEqual([
    expect.stringMatching(/^RR_CACHE: the quantized weights of this load cannot be cached, .*restricted/),
  ]);
});

it("reads the model instead of a damaged entry in a read-only cache, which stays", async () => {
  const { kept, first } = await filledCache();
  const [entry] = listShardCache(kept).filter(({ rank }) => rank === 1);
  const file = join(entry!.path, "kept", readdirSync(join(entry!.path, "kept"))[0]!);
  const bytes = readFileSync(file);
  bytes[0]! ^= 1;
  writeFileSync(file, bytes);
  const { bytesRead, logits } = loadReadOnly(kept);
  expect(logits).toEqual(first.logits);
  expect(bytesRead).toBeGreaterThan(0);
  expect(listShardCache(kept)).toHaveLength(3);
});
