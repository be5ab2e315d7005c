import type { EmbeddingRecipe } from "@ringrank/model";
import { describe, expect, it } from "vitest";
import { Embedder } from "./embedder.js";

const none: EmbeddingRecipe = {
  pooling: ["lasttoken"],
  poolsPrompt: true,
  dense: [],
  normalizes: false,
  dimensions: undefined,
  prompts: {},
  defaultPrompt: "",
  cut: { maxTokens: undefined, isStated: false, keeps: "beginning" },
};
const asked = { pooling: undefined, normalize: undefined };

/** What the last steps make of a vector. */
function made(
  recipe: Partial<EmbeddingRecipe>,
  normalize: boolean | undefined,
  ...vector: number[]
): number[] {
  const { last } = new Embedder({ ...none, ...recipe }).stepsOf({ ...asked, normalize });
  return [...last.reduce<Float32Array>((x, apply) => apply(x), Float32Array.from(vector))];
}

it("pooling is what the recipe says, unless the caller says otherwise", () => {
  const embedder = new Embedder({ ...none, pooling: ["cls", "mean"] });
  expect(embedder.stepsOf(asked).pooling).toEqual(["cls", "mean"]);
  expect(embedder.stepsOf({ ...asked, pooling: "max" }).pooling).toEqual(["max"]);
  expect(new Embedder(undefined).stepsOf(asked).pooling).toEqual(["mean"]);
});

describe("normalize", () => {
  // Of float32.
  const tolerance = { rtol: 1e-7, atol: 0 };

  it("is what the recipe says, unless the caller says otherwise", () => {
    expect(made({}, undefined, 3, 4)).toEqual([3, 4]);
    expect(made({}, true, 3, 4)).toBeAllclose([0.6, 0.8], tolerance);
    expect(made({ normalizes: true }, undefined, 3, 4)).toBeAllclose([0.6, 0.8], tolerance);
    expect(made({ normalizes: true }, false, 3, 4)).toEqual([3, 4]);
  });

  it("is true without a recipe", () => {
    expect(new Embedder(undefined).stepsOf(asked).last).toHaveLength(1);
  });

  it("comes before dimensions are dropped if the recipe says so, and after that if the caller does", () => {
    const recipe = { normalizes: true, dimensions: 1 };
    expect(made(recipe, undefined, 3, 4)).toBeAllclose([0.6], tolerance);
    expect(made(recipe, true, 3, 4)).toEqual([1]);
    expect(made(recipe, false, 3, 4)).toEqual([3]);
  });

  it("leaves a zero vector as it is", () => {
    expect(made({}, true, 0, 0)).toEqual([0, 0]);
  });
});

describe("a prompt", () => {
  const embedder = new Embedder({
    ...none,
    prompts: { query: "query: ", "": "odd: " },
    defaultPrompt: "query: ",
  });
  const nothing = { prompt: undefined, promptName: undefined };

  it("is the checkpoint's default, the caller's own, or one of the checkpoint's, by name", () => {
    expect(embedder.promptOf(nothing)).toBe("query: ");
    expect(embedder.promptOf({ ...nothing, prompt: "" })).toBe("");
    expect(embedder.promptOf({ ...nothing, promptName: "" })).toBe("odd: ");
  });

  it.each([
    [embedder, "document"],
    [embedder, "toString"],
    [new Embedder(undefined), "query"],
  ])("that the checkpoint does not have is refused", (embedder, promptName) => {
    const refused = expect.objectContaining({ code: "RR_OPTION" });
    expect(() => embedder.promptOf({ ...nothing, promptName })).toThrow(refused);
  });
});
