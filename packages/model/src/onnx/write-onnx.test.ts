import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as ort from "onnxruntime-node";
import { afterEach, beforeEach, expect, it } from "vitest";
import { buildGraph } from "../architectures/index.js";
import { openCheckpoint } from "../checkpoint/index.js";
import { modelTolerance, readGolden, zooDirectory } from "../testing/fixtures.js";
import { UnsplitModel } from "../testing/unsplit-model.js";
import { writeOnnx } from "./index.js";

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "ringrank-onnx-"));
});
afterEach(() => rmSync(directory, { recursive: true }));

it("writes a model that runs on its own, with its weights next to it", async () => {
  const { graph } = buildGraph(openCheckpoint(zooDirectory("llama")));
  const path = await writeOnnx(graph, directory);
  const model = new UnsplitModel(graph, await ort.InferenceSession.create(path));
  const golden = readGolden("llama");
  const logits = await model.start(2).step(golden.inputIds);
  expect(logits.data as Float32Array).toBeAllclose(golden.logits, modelTolerance(golden.logits));
  await model.release();
});

it("refuses a graph built from a config alone, with RR_MISSING_FILE", async () => {
  const { config } = openCheckpoint(zooDirectory("llama"));
  const { graph } = buildGraph({ config, tensors: undefined });
  await expect(writeOnnx(graph, directory)).rejects.toMatchObject({ code: "RR_MISSING_FILE" });
});
