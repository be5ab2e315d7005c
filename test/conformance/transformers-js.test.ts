import { loadModel, planModel } from "@ringrank/coordinator";
import * as ort from "onnxruntime-node";
import { describe, expect, it } from "vitest";
import { modelTolerance, readGolden } from "../../packages/model/src/testing/fixtures.js";
import { assembledExport } from "../support/onnx-exports.js";

describe("a directory in the layout of transformers.js", () => {
  const encoder = assembledExport("transformers.js/bert");
  const decoder = assembledExport("transformers.js/llama");
  const { inputIds, logits } = readGolden("bert");

  it("loads its fp32 file, unless dtype says otherwise; token types may be omitted", async () => {
    await using model = await loadModel(encoder, { ranks: 2 });
    const run = await model.run({ input_ids: inputIds });
    expect(run.logits!.data as Float32Array).toBeAllclose(logits, modelTolerance(logits));
  });

  it("loads the file that dtype names", async () => {
    const expected = await unsplit(`${encoder}/onnx/model_q4.onnx`);
    await using model = await loadModel(encoder, { ranks: 2, dtype: "q4" });
    const run = await model.run({ input_ids: inputIds });
    expect(run.logits!.data as Float32Array).toBeAllclose(expected, modelTolerance(expected));
  });

  it("opens one of its files with the config and tokenizer of the folder above", async () => {
    await using model = await loadModel(`${decoder}/onnx/model.onnx`, { ranks: 2 });
    expect(model.maxContext).toBe(128);
    const { text, ids } = await model.generate("hello", { maxNewTokens: 4, ignoreEos: true }).result;
    expect(ids).toHaveLength(4);
    expect(text).not.toBe("");
  });

  it("is refused if it has no file of the requested dtype", async () => {
    await expect(planModel(encoder, { dtype: "bnb4" })).rejects.toMatchObject({ code: "RR_MISSING_FILE" });
  });

  /** Logits for the reference's inputs, computed by one session on the file. */
  async function unsplit(file: string): Promise<Float32Array> {
    const session = await ort.InferenceSession.create(file, { logSeverityLevel: 3 });
    const dims = [inputIds.length, inputIds[0]!.length];
    const ids = BigInt64Array.from(inputIds.flat(), BigInt);
    const filled = (value: bigint) =>
      new ort.Tensor("int64", new BigInt64Array(ids.length).fill(value), dims);
    const outputs = await session.run({
      input_ids: new ort.Tensor("int64", ids, dims),
      attention_mask: filled(1n),
      token_type_ids: filled(0n),
    });
    await session.release();
    return outputs.logits!.data as Float32Array;
  }
});

describe("an encoder's file", () => {
  it("supports embed: its output is last_hidden_state", async () => {
    const { inputIds, target } = readGolden("bart");
    const expected = target!.encoderHidden;
    await using model = await loadModel(assembledExport("optimum/bart/encoder_model.onnx"), { ranks: 2 });
    const { dims, data } = await model.embed(inputIds, { pooling: "cls", normalize: false });
    const [rows, width] = dims as [number, number];
    const perRow = expected.length / rows;
    const firsts = inputIds.flatMap((_, row) => [...expected.subarray(row * perRow, row * perRow + width)]);
    expect(data).toBeAllclose(firsts, modelTolerance(expected));
  });
});
