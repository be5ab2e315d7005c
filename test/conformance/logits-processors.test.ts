import { cpSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { GenerateOptions } from "@ringrank/coordinator";
import { describe, expect, it } from "vitest";
import { shakespeareDirectory, zooDirectory } from "../../packages/model/src/testing/fixtures.js";
import { greedyAgreement } from "../support/greedy.js";
import { loadedModel, planOnOneThread } from "../support/loaded-model.js";
import { root } from "../support/run-program.js";
import { suiteDirectory } from "../support/temporary-directory.js";

interface Case {
  readonly prompt: readonly number[];
  /** Named as in transformers. */
  readonly options: {
    readonly max_new_tokens: number;
    readonly no_repeat_ngram_size?: number;
    readonly repetition_penalty?: number;
    readonly forced_eos_token_id?: number;
  };
  readonly ids: readonly number[];
  readonly gaps: readonly number[];
}

const cases = JSON.parse(readFileSync(`${root}test/fixtures/logits-processors.json`, "utf8")) as Record<
  "decoder" | "encoder–decoder",
  Case[]
>;

function generateOptions({ options }: Case): GenerateOptions {
  const { max_new_tokens, no_repeat_ngram_size, repetition_penalty } = options;
  return {
    temperature: 0,
    maxNewTokens: max_new_tokens,
    noRepeatNgramSize: no_repeat_ngram_size,
    repetitionPenalty: repetition_penalty,
  };
}

planOnOneThread();

/** The embedded model, with a generation config that sets only this. */
function shakespeareWith(generationConfig: object): string {
  const directory = suiteDirectory();
  for (const file of ["config.json", "model.safetensors"]) {
    cpSync(join(shakespeareDirectory, file), join(directory, file));
  }
  writeFileSync(join(directory, "generation_config.json"), JSON.stringify(generationConfig));
  return directory;
}

describe("transformers' greedy tokens, on 3 ranks", () => {
  const ranks = 3;
  const decoder = loadedModel(shakespeareDirectory, { ranks });
  const translator = loadedModel(zooDirectory("bart"), { ranks });

  it.each(cases.decoder.filter(({ options }) => options.forced_eos_token_id === undefined))(
    "continue a prompt with $options",
    async (given) => {
      const { ids } = await decoder().generate(given.prompt, generateOptions(given)).result;
      expect(ids).toSatisfy(greedyAgreement(given.ids, given.gaps));
    },
  );

  it.each(cases["encoder–decoder"])(
    "give a target whose end the config forces, with $options",
    async (given) => {
      const { ids, finishReason } = await translator().generate(given.prompt, generateOptions(given)).result;
      expect(ids).toSatisfy(greedyAgreement(given.ids, given.gaps));
      expect(finishReason).toBe("eos");
    },
  );
});

describe("a generation config's own settings", () => {
  const [forced] = cases.decoder.filter(({ options }) => options.forced_eos_token_id !== undefined);
  const [ngrams] = cases.decoder;
  const settings = { ...ngrams!.options, forced_eos_token_id: forced!.options.forced_eos_token_id };
  const model = loadedModel(shakespeareWith(settings), { ranks: 1 });

  it("apply if the caller omits an option", async () => {
    const { ids } = await model().generate(ngrams!.prompt, { maxNewTokens: ngrams!.ids.length + 1 }).result;
    expect(ids).toSatisfy(greedyAgreement(ngrams!.ids, ngrams!.gaps));
    expect(ids.at(-1)).toBe(settings.forced_eos_token_id);
  });

  it("are overridden by the caller's options", async () => {
    const { ids } = await model().generate(forced!.prompt, {
      ...generateOptions(forced!),
      noRepeatNgramSize: 0,
    }).result;
    expect(ids).toSatisfy(greedyAgreement(forced!.ids, forced!.gaps));
    const { result } = model().generate(forced!.prompt, { maxNewTokens: 6, ignoreEos: true });
    expect((await result).ids.at(-1)).not.toBe(settings.forced_eos_token_id);
  });
});
