import { RingrankError } from "@ringrank/errors";
import { interfaceNames } from "@ringrank/model/serving";
import type { ModelFacts } from "../model-facts.js";

/** @throws RR_NO_GENERATE if the model cannot generate, with what would be needed */
export function requireGenerate({ generates, obstacle, embedding, outputs }: ModelFacts): void {
  if (generates) return;
  if (embedding !== undefined && !outputs.includes(interfaceNames.logits)) {
    throw new RingrankError(
      "RR_NO_GENERATE",
      "the model makes vectors of texts, as its modules.json says, and its head was left out: use model.embed. If it " +
        "also generates, load a copy of the checkpoint without modules.json",
    );
  }
  throw new RingrankError(
    "RR_NO_GENERATE",
    obstacle === undefined
      ? `the model has no causal cache or no ${interfaceNames.logits}, so it cannot generate; use model.run`
      : `${obstacle}. It cannot generate; use model.run`,
  );
}
