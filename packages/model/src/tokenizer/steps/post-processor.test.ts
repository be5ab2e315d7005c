import { expect, it } from "vitest";
import { postProcessorOf } from "./post-processor.js";

const text = { Sequence: { id: "A", type_id: 0 } };
const special = (id: string) => ({ SpecialToken: { id, type_id: 0 } });
const template = {
  ...{ type: "TemplateProcessing", single: [special("<s>"), text, special("</s>")] },
  special_tokens: { "<s>": { id: "<s>", ids: [7, 8] }, "</s>": { id: "</s>", ids: [9] } },
};

// As tokenizers 0.23.3 of Python.
it.each<[string, object | null, number[]]>([
  ["a template's ids, which may be several for a token", template, [7, 8, 1, 2, 9]],
  ["a text before what a template puts there", { ...template, single: [text, special("<s>")] }, [1, 2, 7, 8]],
  ["RoBERTa's ids", { type: "RobertaProcessing", cls: ["<s>", 5], sep: ["</s>", 6] }, [5, 1, 2, 6]],
  ["BERT's ids", { type: "BertProcessing", cls: ["[CLS]", 5], sep: ["[SEP]", 6] }, [5, 1, 2, 6]],
  ["nothing, of bytes", { type: "ByteLevel" }, [1, 2]],
  [
    "what one of a sequence has",
    { type: "Sequence", processors: [{ type: "ByteLevel" }, template] },
    [7, 8, 1, 2, 9],
  ],
  ["nothing, where there is none", null, [1, 2]],
])("around a text stands %s", (_, step, expected) => {
  expect(postProcessorOf(step)([1, 2])).toEqual(expected);
});

it.each<[string, object]>([
  ["Unknown PostProcessor type: Abacus", { type: "Abacus" }],
  ['expected "special_tokens" to have ids for "<s>"', { ...template, special_tokens: {} }],
  ['expected "special_tokens" to have ids for "toString"', { ...template, single: [special("toString")] }],
  ['expected "cls" to be a token and its id', { type: "BertProcessing", sep: ["a", 1], cls: ["a"] }],
  ['expected a part of "single" to be', { ...template, single: [{}] }],
])("a step that cannot be taken is an error: %s", (message, step) => {
  expect(() => postProcessorOf(step)).toThrow(message);
});
