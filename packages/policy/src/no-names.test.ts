import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";

// DESIGN: the policy looks at operators and shapes, never at the name of a model, a layer or a parameter. Forbidden
// words are those in the checkpoints of the fixtures.
const zoo = fileURLToPath(new URL("../../../test/fixtures/zoo", import.meta.url));
const models = readdirSync(zoo);
const sources = readdirSync(fileURLToPath(new URL(".", import.meta.url)), {
  recursive: true,
  encoding: "utf8",
}).filter((file) => file.endsWith(".ts") && !file.endsWith(".test.ts") && !file.startsWith("testing"));

describe("the policy's sources", () => {
  const words = new Set(models.flatMap((model) => [model, ...layerNames(model)]));

  it.each(sources)("%s names no model, layer or parameter", (file) => {
    const text = readFileSync(new URL(file, import.meta.url), "utf8").toLowerCase();
    const found = [...words].filter((word) => new RegExp(`(?<![a-z_])${word}(?![a-z_])`).test(text));
    expect(found).toEqual([]);
  });
});

/** The parts of a checkpoint's tensor names that are names of something: with an underscore or a digit in them. */
function layerNames(model: string): string[] {
  const file = readFileSync(`${zoo}/${model}/model.safetensors`);
  const header = JSON.parse(file.subarray(8, 8 + Number(file.readBigUInt64LE())).toString("utf8")) as object;
  const parts = Object.keys(header).flatMap((name) => name.toLowerCase().split("."));
  return [...new Set(parts)].filter((part) => /^[a-z]+[_\d][a-z_\d]*$/.test(part) && part !== "__metadata__");
}
