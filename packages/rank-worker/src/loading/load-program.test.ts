import { readdirSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { temporaryDirectory } from "../../../../test/support/temporary-directory.js";
import type { RankOptions, RunRequest } from "../protocol.js";
import { startRankThreads } from "../testing/rank-threads.js";
import { tinyDecoder } from "../testing/tiny-decoder.js";

const programs = tinyDecoder({ heads: 2, worldSize: 2 });
const request: RunRequest = {
  entry: "forward",
  inputs: { input_ids: { type: "int64", dims: [1, 3], data: BigInt64Array.of(1n, 2n, 3n) } },
  outputs: ["logits"],
  logits: "all",
};

async function logitsWith(options: RankOptions) {
  const { services, ended } = startRankThreads(2);
  await Promise.all(services.map((service, rank) => service.load(programs[rank]!, options)));
  const [first] = await Promise.all(services.map((service) => service.run(request)));
  await Promise.all(services.map((service) => service.release()));
  await ended;
  return first!.outputs.logits!.data;
}

test("weights that go through files are the same, and leave no file behind", async () => {
  const scratchFolder = temporaryDirectory();
  expect(await logitsWith({ threads: 1, scratchFolder })).toEqual(await logitsWith({ threads: 1 }));
  expect(readdirSync(scratchFolder)).toEqual([]);
});

test("weights go through memory if files cannot be written", async () => {
  const scratchFolder = join(temporaryDirectory(), "not there");
  expect(await logitsWith({ threads: 1, scratchFolder })).toEqual(await logitsWith({ threads: 1 }));
});
