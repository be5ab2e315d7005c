import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { EmbedOptions } from "@ringrank/coordinator";
import { buildGraph, openCheckpoint, writeOnnx } from "@ringrank/model";
import { ShardReader } from "@ringrank/model/weights";
import { describe, expect, it } from "vitest";
import { modelTolerance, readGolden } from "../../packages/model/src/testing/fixtures.js";
import { load, loadedModel, planOnOneThread } from "../support/loaded-model.js";
import { temporaryDirectory } from "../support/temporary-directory.js";

planOnOneThread();

interface Case extends Pick<EmbedOptions, "normalize" | "prompt" | "promptName"> {
  /** Of pooling, instead of the checkpoint's own. */
  readonly modes?: readonly EmbedOptions["pooling"][];
  readonly vectors: readonly (readonly number[])[];
}

interface Golden {
  readonly texts: readonly string[];
  readonly cases: readonly Case[];
}

const folder = fileURLToPath(new URL("../fixtures/sentence-transformers/", import.meta.url));

/** Sums of float32 in another order; the reference is rounded to 10⁻⁷. Vectors' elements are of the order of 0.1 to 3. */
const tolerance = { rtol: 1e-5, atol: 1e-5 };

/** Every checkpoint that sentence-transformers saved, compared with the vectors that it makes of texts. */
describe.each(readdirSync(folder))("%s", (name) => {
  const directory = join(folder, name);
  const { texts, cases } = goldenOf(name);

  describe.each([1, 2, 3])("on %i ranks", (ranks) => {
    const model = loadedModel(directory, { ranks });

    it.each(
      cases
        .filter(({ modes = [""] }) => modes.length === 1)
        .map(({ vectors, ...asked }) => [asked, vectors] as const),
    )("embed makes sentence-transformers' vectors, with %j", async ({ modes, ...asked }, vectors) => {
      const { dims, data } = await model().embed(texts, { ...asked, pooling: modes?.[0] });
      expect(dims).toEqual([texts.length, vectors[0]!.length]);
      expect(data).toBeAllclose(vectors.flat(), tolerance);
    });

    it("has no head, so no logits are computed, and says why it does not generate", async () => {
      const run = await model().run({ input_ids: [[3, 4, 5]] });
      expect(Object.keys(run)).toEqual(["last_hidden_state"]);
      await expect(model().generate([3]).result).rejects.toThrow(/modules\.json/);
    });
  });
});

it("matrices behind pooling are sharded like any others: here the columns of one, and the rows of the next", async () => {
  await using model = await load(join(folder, "gemma3-dense"), { ranks: 2 });
  const table = model.policy.table();
  expect(table).toMatch(/dense\.0\.weight .* column-parallel +50\.0%/);
  expect(table).toMatch(/dense\.1\.weight .* row-parallel +50\.0%/);
  const bytes = model.memory().map(({ bytesKept }) => bytesKept);
  expect(bytes).toEqual(model.policy.bytesPerRank);
});

it.each(["pooling_mode", "switches"])(
  "vectors of several ways of pooling are concatenated: %s",
  async (how) => {
    const directory = copyOf("bert-cls");
    const { texts, cases } = goldenOf("bert-cls");
    const { modes, vectors } = cases.find((one) => one.modes?.length === 2)!;
    // Switches have an order of their own, in which the mean comes before the last token.
    const config = { pooling_mode: modes };
    const switches = { pooling_mode_lasttoken: true, pooling_mode_mean_tokens: true };
    write(directory, "1_Pooling/config.json", how === "switches" ? switches : config);
    const half = vectors[0]!.length / 2;
    const expected =
      how === "switches" ? vectors.map((row) => [...row.slice(half), ...row.slice(0, half)]) : vectors;
    await using model = await load(directory, { ranks: 2 });
    const { data } = await model.embed(texts, { normalize: false });
    expect(data).toBeAllclose(expected.flat(), tolerance);
  },
);

it("an ONNX file next to modules.json makes the same vectors", async () => {
  const directory = copyOf("bert-cls");
  const { graph } = buildGraph(openCheckpoint(directory), { isHeadless: true });
  await writeOnnx(graph, join(directory, "onnx"));
  rmSync(join(directory, "model.safetensors"));
  const { texts, cases } = goldenOf("bert-cls");
  await using model = await load(directory, { ranks: 2 });
  const { data } = await model.embed(texts);
  expect(data).toBeAllclose(cases[0]!.vectors.flat(), tolerance);
});

it("a load that finds quantized weights and their plan makes the same vectors as the one that left them", async () => {
  const { texts, cases } = goldenOf("gemma3-dense");
  const options = { ranks: 2, precision: "int8", cacheDirectory: temporaryDirectory() } as const;
  const embedded = async () => {
    await using model = await load(join(folder, "gemma3-dense"), options);
    return (await model.embed(texts)).data;
  };
  const first = await embedded();
  expect(await embedded()).toEqual(first);
  // Weights and activations of 8 bits.
  expect(first).toBeAllclose(cases[0]!.vectors.flat(), { rtol: 0, atol: 0.05 });
});

describe("token ids", () => {
  const model = loadedModel(join(folder, "qwen3-last"), { ranks: 2 });

  it("are embedded as they are, without a prompt, and are not cut", async () => {
    const [a, b] = [[8, 9, 10, 0], [7]];
    const { data } = await model().embed([a, b]);
    const [alone, other] = await Promise.all([model().embed([a]), model().embed([b])]);
    expect(data).toBeAllclose([...alone.data, ...other.data], tolerance);
    const tooLong = new Array(41).fill(8);
    await expect(model().embed([tooLong])).rejects.toMatchObject({ code: "RR_CONTEXT" });
  });

  it("cannot have a prompt", async () => {
    const refused = {
      code: "RR_OPTION",
      message: expect.stringContaining("text 1 is an array of token ids"),
    };
    await expect(model().embed(["a rose", [8]], { promptName: "document" })).rejects.toMatchObject(refused);
    await expect(model().embed(["a rose", [8]], { prompt: "of: " })).rejects.toMatchObject(refused);
  });
});

it("a text is refused of which nothing is left behind a prompt that is not pooled", async () => {
  await using model = await load(join(folder, "t5-prompt"), { ranks: 2 });
  const directory = copyOf("t5-prompt");
  const tokenizer = JSON.parse(readFileSync(join(directory, "tokenizer.json"), "utf8"));
  // Without an end of text, a text of no tokens leaves nothing.
  write(directory, "tokenizer.json", { ...tokenizer, post_processor: null });
  await using other = await load(directory, { ranks: 2 });
  const embedding = other.embed(["a rose", ""], { prompt: "of " });
  await expect(embedding).rejects.toMatchObject({ code: "RR_EMPTY_PROMPT" });
  expect((await model.embed([""], { prompt: "of " })).dims).toEqual([1, 24]);
});

it("modules that are not supported keep a model from embedding, and from nothing else", async () => {
  const directory = copyOf("zoo/bert", join(folder, "../zoo/bert"));
  const type = "sentence_transformers.sparse_encoder.models.MLMTransformer";
  write(directory, "modules.json", [{ type, path: "" }]);
  const { inputIds, logits } = readGolden("bert");
  await using model = await load(directory, { ranks: 2 });
  const run = await model.run({ input_ids: inputIds });
  expect(run.logits!.data as Float32Array).toBeAllclose(logits, modelTolerance(logits));
  const message = expect.stringContaining("MLMTransformer");
  await expect(model.embed(inputIds)).rejects.toMatchObject({ code: "RR_NO_EMBED", message });
});

it("an encoder–decoder with modules is not embedded with: which half it means depends on its family", async () => {
  const directory = copyOf("zoo/bart", join(folder, "../zoo/bart"));
  saveModules(directory);
  await using model = await load(directory, { ranks: 2 });
  await expect(model.embed([[5, 6]])).rejects.toMatchObject({ code: "RR_NO_EMBED" });
});

/** Heads without anything else, so that logits are products with the hidden state. */
const heads: Readonly<Record<string, string>> = {
  llama: "lm_head.weight",
  gpt2: "transformer.wte.weight",
  "opt-350m-like": "model.decoder.embed_tokens.weight",
  "falcon-7b-like": "transformer.word_embeddings.weight",
  mamba2: "lm_head.weight",
};

it.each(Object.entries(heads))(
  "%s with modules ends with the state that its head multiplies",
  async (name, head) => {
    const directory = copyOf(name, join(folder, "../zoo", name));
    saveModules(directory);
    const { inputIds, logits } = readGolden(name);
    await using model = await load(directory, { ranks: 2 });
    const { last_hidden_state: hidden } = await model.run({ input_ids: inputIds });
    const matrix = weightOf(directory, head);
    const width = hidden!.dims.at(-1)!;
    const states = hidden!.data as Float32Array;
    const dot = (row: number, token: number): number => {
      let sum = 0;
      for (let lane = 0; lane < width; lane++)
        sum += states[row * width + lane]! * matrix[token * width + lane]!;
      return sum;
    };
    const vocabulary = matrix.length / width;
    const products = Float32Array.from(logits, (_, at) => dot(Math.floor(at / vocabulary), at % vocabulary));
    expect(products).toBeAllclose(logits, modelTolerance(logits));
    // The last token's, which pooling takes, whatever the padding.
    const { data } = await model.embed([inputIds[0]!, inputIds[1]!.slice(0, 5)]);
    const end = inputIds[0]!.length * width;
    expect(data.slice(0, width)).toBeAllclose(states.slice(end - width, end), modelTolerance(states));
    const fifth = end + 4 * width;
    expect(data.slice(width)).toBeAllclose(states.slice(fifth, fifth + width), modelTolerance(states));
  },
);

function goldenOf(name: string): Golden {
  return JSON.parse(readFileSync(join(folder, name, "golden.json"), "utf8"));
}

function copyOf(name: string, from = join(folder, name)): string {
  const directory = temporaryDirectory();
  cpSync(from, directory, { recursive: true });
  return directory;
}

function write(directory: string, file: string, content: unknown): void {
  mkdirSync(dirname(join(directory, file)), { recursive: true });
  writeFileSync(join(directory, file), JSON.stringify(content));
}

/** Has a checkpoint take the last token's state. */
function saveModules(directory: string): void {
  const module = (type: string, path: string) => ({ type: `sentence_transformers.models.${type}`, path });
  write(directory, "modules.json", [module("Transformer", ""), module("Pooling", "1_Pooling")]);
  write(directory, "1_Pooling/config.json", { pooling_mode_lasttoken: true });
}

function weightOf(directory: string, name: string): Float32Array {
  const { dims, file, offset } = openCheckpoint(directory).tensors!.get(name)!;
  using reader = new ShardReader();
  const source = { kind: "file", file, offset, storedAs: "bfloat16" } as const;
  const selection = dims.map((size): [number, number][] => [[0, size]]);
  return reader.read({ weight: { type: "float32", dims, source }, selection, dims }) as Float32Array;
}
