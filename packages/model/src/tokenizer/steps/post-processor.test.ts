import { expect, it } from "vitest";
import { postProcessorOf } from "./post-processor.js";

const text = { Sequence: { id: "A", type_id: 0 } };
const special = (id: string) => ({ SpecialToken: { id, type_id: 0 } });
const template = {
  ...{ type: "TemplateProcessing", single: [special("<s>"), text, special("</s>")] },
  special_tokens: { "<s>": { id: "<s>", ids: [7, 8] }, "</s>": { id: "</s>", ids: [9] } },
};

// The results of tokenizers 0.23.3 for Python.
it.each<[string, object | null, number[]]>([
  ["a template's ids, of which a token may have several", template, [7, 8, 1, 2, 9]],
  ["a template's ids, all after the text", { ...template, single: [text, special("<s>")] }, [1, 2, 7, 8]],
  ["RoBERTa's ids", { type: "RobertaProcessing", cls: ["<s>", 5], sep: ["</s>", 6] }, [5, 1, 2, 6]],
  ["BERT's ids", { type: "BertProcessing", cls: ["[CLS]", 5], sep: ["[SEP]", 6] }, [5, 1, 2, 6]],
  ["nothing by ByteLevel", { type: "ByteLevel" }, [1, 2]],
  [
    "the ids of a step in a sequence",
    { type: "Sequence", processors: [{ type: "ByteLevel" }, template] },
    [7, 8, 1, 2, 9],
  ],
  ["nothing without a post-processor", null, [1, 2]],
])("puts around a text: %s", (_, step, expected) => {
  expect(postProcessorOf(step)([1, 2])).toEqual(expected);
});

it.each<[string, object]>([
  ["Unknown PostProcessor type: Abacus", { type: "Abacus" }],
  ['expected "special_tokens" to have ids for "<s>"', { ...template, special_tokens: {} }],
  ['expected "special_tokens" to have ids for "toString"', { ...template, single: [special("toString")] }],
  ['expected "cls" to be a token and its id', { type: "BertProcessing", sep: ["a", 1], cls: ["a"] }],
  ['expected a part of "single" to be', { ...template, single: [{}] }],
])("refuses an invalid step: %s", (message, step) => {
  expect(() => postProcessorOf(step)).toThrow(message);
});
