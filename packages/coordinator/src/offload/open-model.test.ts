import { cpSync, mkdirSync, readFileSync, renameSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { buildGraph, type JsonObject, openCheckpoint, writeOnnx } from "@ringrank/model";
import { expect, it } from "vitest";
import { expectCode } from "../../../../test/support/coded-error.js";
import { temporaryDirectory } from "../../../../test/support/temporary-directory.js";
import { zooDirectory } from "../../../model/src/testing/fixtures.js";
import { openModel } from "./open-model.js";

it("for a checkpoint without an architecture that has ONNX files next to it, the error says how to load one of these", () => {
  const config = JSON.stringify({ model_type: "vit" });
  // A header without tensors.
  const weights = "\x02\0\0\0\0\0\0\0{}";
  const directory = temporaryDirectory({ "config.json": config, "model.safetensors": weights });
  const refused = () => expectCode("RR_UNKNOWN_ARCHITECTURE", () => openModel(directory)).message;
  expect(refused()).not.toContain("dtype");
  mkdirSync(join(directory, "onnx"));
  writeFileSync(join(directory, "onnx/model.onnx"), "");
  expect(refused()).toContain("dtype");
});

/** A directory with a checkpoint and an export of it. */
async function both(): Promise<string> {
  const directory = temporaryDirectory();
  cpSync(zooDirectory("bert"), directory, { recursive: true });
  await writeOnnx(buildGraph(openCheckpoint(directory)).graph, join(directory, "onnx"));
  return directory;
}

const filesOf = (directory: string, dtype?: "fp32") =>
  openModel(directory, dtype).files.map(({ path }) => basename(path));

it("opens the checkpoint of a directory that has ONNX files too, unless dtype asks for one of these", async () => {
  const directory = await both();
  expect(filesOf(directory)).toEqual(["model.safetensors"]);
  expect(filesOf(directory, "fp32")).toContain("model.onnx");
});

it("opens the checkpoint beside ONNX files also if it consists of several files", async () => {
  const directory = await both();
  const names = [...openCheckpoint(directory).tensors!.keys()];
  renameSync(join(directory, "model.safetensors"), join(directory, "shard.safetensors"));
  const index = { weight_map: Object.fromEntries(names.map((name) => [name, "shard.safetensors"])) };
  writeFileSync(join(directory, "model.safetensors.index.json"), JSON.stringify(index));
  expect(filesOf(directory)).toEqual(["shard.safetensors"]);
});

it("opens the ONNX file of a directory without the checkpoint's weights", async () => {
  const directory = await both();
  rmSync(join(directory, "model.safetensors"));
  expect(filesOf(directory)).toContain("model.onnx");
});

it("does not speak of ONNX files if something else is wrong with a checkpoint", async () => {
  const directory = await both();
  const config = JSON.parse(readFileSync(join(directory, "config.json"), "utf8")) as JsonObject;
  writeFileSync(join(directory, "config.json"), JSON.stringify({ ...config, hidden_size: "wide" }));
  expect(expectCode("RR_CONFIG", () => openModel(directory)).message).not.toContain("dtype");
});

it("checks that a checkpoint's files are as long as their headers say", () => {
  const directory = temporaryDirectory();
  cpSync(zooDirectory("bert"), directory, { recursive: true });
  const model = openModel(directory);
  model.checkWeights();
  truncateSync(join(directory, "model.safetensors"), 50_000);
  expectCode("RR_FILE_FORMAT", () => model.checkWeights());
});
