import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { isRingrankError, RingrankError } from "@ringrank/errors";
import { describe, expect, test } from "vitest";
import { safetensorsFile } from "../../../../test/support/safetensors.js";
import { temporaryDirectory } from "../../../../test/support/temporary-directory.js";
import { loadTokenizer } from "../tokenizer/tokenizer.js";
import { ShardReader } from "../weights/shard-reader.js";
import { checkPayload, openCheckpoint } from "./checkpoint.js";
import { fileSource } from "./file-source.js";
import { readGenerationConfig } from "./generation-config.js";

const seedsPerKind = 60;

/** Marsaglia's xorshift32: `random(n)` is an integer below n. */
function generator(seed: number): (below: number) => number {
  let state = (seed + 1) * 0x9e3779b1;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}

type Random = ReturnType<typeof generator>;

const small = safetensorsFile(
  {
    __metadata__: { format: "pt" },
    a: { dtype: "F32", shape: [4, 8], data_offsets: [0, 128] },
    b: { dtype: "BF16", shape: [16], data_offsets: [128, 160] },
    c: { dtype: "I64", shape: [2, 1, 2], data_offsets: [160, 192] },
  },
  new Uint8Array(192),
);

const tokenizerJson = readFileSync(
  fileURLToPath(new URL("../../../cli/models/shakespeare-llama/tokenizer.json", import.meta.url)),
);

/** Opens and reads everything. A coded error is a valid result, anything else is not. */
function readAll(directory: string): void {
  const checkpoint = openCheckpoint(directory);
  readGenerationConfig(directory, checkpoint.config);
  checkPayload(checkpoint);
  using reader = new ShardReader();
  for (const [name, tensor] of checkpoint.tensors ?? []) {
    const source = fileSource(name, tensor);
    const weight = { type: source.storedAs, dims: tensor.dims, source };
    const selection = tensor.dims.map((dim) => (dim === 0 ? [] : [[0, dim] as const]));
    expect(reader.read({ weight, selection, dims: tensor.dims }).byteLength).toBe(tensor.bytes);
  }
}

/**
 * Runs `work`, which may only fail with a coded error, and may not need more than 64 MiB for files of a few kilobytes.
 */
function survives(work: () => void): void {
  const before = process.memoryUsage().arrayBuffers;
  try {
    work();
  } catch (error) {
    if (!isRingrankError(error)) throw error;
    expect(error).toBeInstanceOf(RingrankError);
    expect(error.message.length).toBeLessThan(2000);
  }
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(64 * 1024 * 1024);
}

function flipBits(bytes: Uint8Array, random: Random, within: number): Uint8Array {
  const flipped = Uint8Array.from(bytes);
  for (let i = random(4); i >= 0; i--) {
    const at = random(within);
    flipped[at] = flipped[at]! ^ (1 << random(8));
  }
  return flipped;
}

const odd: readonly unknown[] = [
  -1,
  0,
  1.5,
  2 ** 31,
  2 ** 53,
  1e300,
  null,
  true,
  "",
  "__proto__",
  "F32",
  "F8_E4M3",
  [],
  {},
  [0, 0],
  [2 ** 40, 2 ** 40],
];

/** A header of one to four tensors, each of whose fields is valid or odd. */
function oddHeader(random: Random): string {
  let end = 0;
  const pick = <T>(right: T): unknown => (random(6) === 0 ? odd[random(odd.length)] : right);
  const entries = Array.from({ length: 1 + random(4) }, (_, i) => {
    const shape = Array.from({ length: random(4) }, () => pick(random(5)));
    const bytes = shape.reduce<number>((size, dim) => size * (typeof dim === "number" ? dim : 1), 4);
    const begin = end;
    end += bytes;
    const name = random(8) === 0 ? "t0" : `t${i}`;
    const entry = { dtype: pick("F32"), shape: pick(shape), data_offsets: pick([pick(begin), pick(end)]) };
    return `${JSON.stringify(name)}:${JSON.stringify(pick(entry))}`;
  });
  return `{${entries.join(",")}}`;
}

const seeds = Array.from({ length: seedsPerKind }, (_, seed) => generator(seed));

test("the files that are corrupted below can be read in their original form", () => {
  readAll(temporaryDirectory({ "config.json": "{}", "model.safetensors": small }));
});

describe(`${seedsPerKind} fixed seeds each lead to a valid read or a coded error:`, () => {
  test("safetensors truncated anywhere", () => {
    for (const random of seeds) {
      const bytes = small.subarray(0, random(small.length));
      survives(() => readAll(temporaryDirectory({ "config.json": "{}", "model.safetensors": bytes })));
    }
  });

  test("safetensors with flipped bits, in the header's length or its JSON", () => {
    for (const random of seeds) {
      const bytes = flipBits(small, random, random(2) === 0 ? 8 : small.length - 192);
      survives(() => readAll(temporaryDirectory({ "config.json": "{}", "model.safetensors": bytes })));
    }
  });

  test("safetensors with odd values in the header", () => {
    for (const random of seeds) {
      const bytes = safetensorsFile(oddHeader(random), new Uint8Array(random(2000)));
      survives(() => readAll(temporaryDirectory({ "config.json": "{}", "model.safetensors": bytes })));
    }
  });

  test("an index with odd names and values", () => {
    const names = [
      "model-1.safetensors",
      "../x",
      "/etc/passwd",
      "model-1.safetensors/",
      "",
      "config.json",
      ".",
    ];
    for (const random of seeds) {
      const file = random(3) === 0 ? odd[random(odd.length)] : names[random(names.length)];
      const map = { a: file, b: "model-1.safetensors", [random(2) === 0 ? "__proto__" : "c"]: file };
      const index = JSON.stringify({ weight_map: random(8) === 0 ? odd[random(odd.length)] : map });
      const cut = random(4) === 0 ? index.slice(0, random(index.length)) : index;
      survives(() =>
        readAll(
          temporaryDirectory({
            "config.json": "{}",
            "model.safetensors.index.json": cut,
            "model-1.safetensors": small,
          }),
        ),
      );
    }
  });

  test("config.json and generation_config.json with flipped bits", () => {
    const config = Buffer.from(
      '{"model_type": "llama", "eos_token_id": [1, 2], "rope_scaling": {"factor": 8}}',
    );
    const generation = Buffer.from('{"temperature": 0.8, "top_k": 50, "eos_token_id": 2, "num_beams": 1}');
    for (const random of seeds) {
      survives(() =>
        readAll(
          temporaryDirectory({
            "config.json": flipBits(config, random, config.length),
            "generation_config.json": flipBits(generation, random, generation.length),
            "model.safetensors": small,
          }),
        ),
      );
    }
  });

  test("tokenizer.json truncated, or with flipped bits", () => {
    // The vocabulary is most of the file; the settings come before it.
    for (const random of seeds.slice(0, 20)) {
      const bytes =
        random(3) === 0
          ? tokenizerJson.subarray(0, random(tokenizerJson.length))
          : flipBits(tokenizerJson, random, 1500);
      survives(() => loadTokenizer(temporaryDirectory({ "tokenizer.json": bytes }))?.encode("ROMEO: 👑"));
    }
  });
});
