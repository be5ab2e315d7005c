import type { Command } from "commander";
import { parseIds } from "../arguments/numbers.js";
import { type RunFlags, run } from "../commands/run.js";
import { exitCodesHelp } from "../exit-codes.js";
import { addLoadOptions, addSamplingOptions } from "./model-options.js";
import * as shared from "./shared-options.js";

const runExamples = `
Examples:
  $ ringrank run --demo --ranks 4 --prompt "ROMEO:"
  $ ringrank run path/to/model --max-new-tokens 40 --temperature 0
  $ ringrank run path/to/model --chat --prompt "Who art thou?"    one answer; ringrank chat goes on
  $ ringrank run path/to/model --precision int4
  $ ringrank run path/to/export --dtype q4               onnx/model_q4.onnx, as transformers.js has it
  $ ringrank run org/name --temperature 0.8 --top-p 0.9  an id that the local HuggingFace cache has
  $ ringrank plan path/to/model --ranks 2 --json > policy.json
  $ ringrank run path/to/model --ranks 2 --policy policy.json

Options for choosing tokens that are left out are taken from the model's generation_config.json.
The text goes to standard output, everything else to standard error.
${exitCodesHelp}`;

/** Declares `ringrank run`. */
export function declareRun(program: Command, signal: AbortSignal): void {
  const command = program
    .command("run")
    .description("Load a model on N ranks and stream text from it.")
    .addArgument(shared.model)
    .addOption(shared.demo)
    .addOption(shared.dtype)
    .addOption(shared.ranks)
    .option("-p, --prompt <text>", 'text to continue (default: "ROMEO:" of --demo, else "Once upon a time")')
    .option("--chat", "the prompt is a user's message, which the model's chat template formats")
    .option("--system <text>", "a system message before it; implies --chat")
    .addOption(shared.templateVariables("; implies --chat"))
    .option(
      "--decoder-prompt <ids>",
      "token ids that an encoder–decoder's text starts with, such as its language: 2,128028",
      parseIds,
    );
  addLoadOptions(addSamplingOptions(command))
    .addHelpText("after", runExamples)
    .action((directory: string | undefined, flags: RunFlags) => run(directory, flags, signal));
}
