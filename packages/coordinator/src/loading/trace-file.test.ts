import { readFileSync, rmdirSync } from "node:fs";
import { join } from "node:path";
// Threads start from the build, so the build is tested.
import { loadModel } from "@ringrank/coordinator";
import { expect, it } from "vitest";
import { temporaryDirectory } from "../../../../test/support/temporary-directory.js";
import { zooDirectory } from "../../../model/src/testing/fixtures.js";

const directory = zooDirectory("llama");

interface Event {
  readonly name: string;
  readonly cat?: string;
  readonly tid: number;
  readonly args?: Readonly<Record<string, number>>;
}

it("a trace contains every rank's steps, and what they did", async () => {
  const path = join(temporaryDirectory(), "trace.json");
  const model = await loadModel(directory, { ranks: 2, trace: path });
  const tokens = 4;
  // So many that their mask is computed in a session.
  const prompt = new Array(100).fill(5);
  await model.generate(prompt, { maxNewTokens: tokens, temperature: 0, ignoreEos: true }).result;
  await model.close();

  const events = JSON.parse(readFileSync(path, "utf8").replace(/,\s*$/, "]")) as Event[];
  for (const rank of [0, 1]) {
    const own = events.filter(({ tid }) => tid === rank);
    const steps = own.filter(({ name }) => name === "step").map(({ args }) => args!);
    expect(steps.map(({ tokens }) => tokens)).toEqual([100, 1, 1, 1]);
    // The rank computes single rows itself, from the lookup in the vocabulary to the logits.
    expect(steps.map(({ session_us }) => session_us! > 0)).toEqual([true, false, false, false]);
    const layers = 2;
    expect(own.filter(({ cat }) => cat === "attention")).toHaveLength(tokens * layers);
    for (const category of ["session", "collective", "cache", "choosing"]) {
      expect(own.some(({ cat }) => cat === category)).toBe(true);
    }
  }
});

it("a trace is written where its path led when loading began, even if the process has changed its directory", async () => {
  const began = process.cwd();
  const folder = temporaryDirectory();
  process.chdir(folder);
  const model = await loadModel(directory, { trace: "trace.json" }).finally(() => process.chdir(began));
  await model.generate([5, 6, 7], { maxNewTokens: 1 }).result;
  await model.close();
  expect(readFileSync(join(folder, "trace.json"), "utf8")).toContain('"name":"step"');
});

it("refuses a trace that cannot be written before anything is loaded", async () => {
  const trace = join(temporaryDirectory(), "absent", "trace.json");
  await expect(loadModel(directory, { trace })).rejects.toMatchObject({ code: "RR_OPTION" });
});

// Windows does not remove a directory that a process is in.
it.skipIf(process.platform === "win32")(
  "refuses a relative trace in a directory that was removed",
  async () => {
    const began = process.cwd();
    const gone = temporaryDirectory();
    process.chdir(gone);
    rmdirSync(gone);
    const loading = loadModel(directory, { trace: "trace.json" }).finally(() => process.chdir(began));
    await expect(loading).rejects.toMatchObject({ code: "RR_OPTION" });
  },
);
