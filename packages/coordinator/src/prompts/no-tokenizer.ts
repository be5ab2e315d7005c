import { RingrankError } from "@ringrank/errors";

/** @param what what a model without a tokenizer cannot take, such as "text" */
export function noTokenizer(what: string): RingrankError {
  return new RingrankError(
    "RR_NO_TOKENIZER",
    `expected token ids: the model has no tokenizer.json, so it cannot take ${what}`,
  );
}
