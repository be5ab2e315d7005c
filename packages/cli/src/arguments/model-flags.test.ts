import { expect, test } from "vitest";
import { temporaryDirectory } from "../../../../test/support/temporary-directory.js";
import { modelOptions } from "./model-flags.js";

const loading = { ranks: 2, dtype: "q4", precision: "int8", wire: "int8", cache: false, trace: "t" } as const;
const generating = {
  ...{ maxNewTokens: 9, temperature: 0.5, topK: 3, topP: 0.75, minP: 0.25, repetitionPenalty: 1.5 },
  ...{ noRepeatNgramSize: 2, seed: 7, stop: ["x"], ignoreEos: true, templateVariables: { mood: "merry" } },
};

test("flags are options of loadModel or of generate", async () => {
  const objective = "time";
  expect(await modelOptions({ ...loading, ...generating, objective })).toEqual({
    loading: { ...loading, objective },
    generating,
  });
});

test("a policy's file takes the place of an objective", async () => {
  const policy = `${temporaryDirectory({ "policy.json": '{ "version": 2 }' })}/policy.json`;
  const { loading: options } = await modelOptions({ ...loading, policy, objective: "memory" });
  expect(options).toEqual({ ...loading, policy: { version: 2 } });
});
