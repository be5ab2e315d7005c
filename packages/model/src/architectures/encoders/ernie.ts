import type { Architecture } from "../architecture.js";
import { consecutivePositions } from "../blocks/encoder-input.js";
import { bertHead, bertIgnored, buildBert } from "./bert.js";

/** BERT, with task types if the config uses them (https://arxiv.org/abs/1907.12412). */
export const ernie: Architecture = {
  build(context) {
    const { g, config } = context;
    const taskTypes = {
      name: "ernie.embeddings.task_type_embeddings.weight",
      rows: config.integer("task_type_vocab_size", { default: 3 }),
      width: config.integer("hidden_size"),
    };
    buildBert(context, {
      model: "ernie",
      head: bertHead(context),
      positions: (input) => consecutivePositions(g, input),
      kinds: config.boolean("use_task_id", { default: false }) ? [taskTypes] : [],
    });
  },
  ignoredTensors: bertIgnored,
};
