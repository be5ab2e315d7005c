import { createRequire } from "node:module";
import { Command, CommanderError } from "commander";
import { declareCache } from "./declarations/cache.js";
import { declareChat } from "./declarations/chat.js";
import { declarePlan } from "./declarations/plan.js";
import { declareRun } from "./declarations/run.js";
import { exitCodeOf, printError, usageErrorLine } from "./errors.js";
import { exitCodesHelp } from "./exit-codes.js";
import { Interruption } from "./interruption.js";
import { print } from "./output/print.js";

const examples = `
Examples:
  $ ringrank run --demo                                  stream from the embedded model, on 2 ranks
  $ ringrank run --demo --ranks 4 --prompt "ROMEO:"
  $ ringrank chat path/to/chat-model --precision int4    a conversation, line by line
  $ ringrank plan path/to/model --ranks 8                who would hold what, and why

${exitCodesHelp}
Documentation of every error code: docs/errors.md in the repository.`;

/**
 * Runs the command.
 *
 * @param args without the names of node and the script
 * @returns the exit code; errors have been printed
 */
export async function runCommandLine(args: readonly string[]): Promise<number> {
  const interruption = new Interruption();
  const help: string[] = [];
  const program = commandLine(interruption.signal, (text) => help.push(text));
  try {
    await program.parseAsync(args, { from: "user" }).catch(async (error: unknown) => {
      // Commander also throws to end after --help and --version.
      if (!(error instanceof CommanderError) || error.exitCode !== 0) throw error;
      await print(help.join(""));
    });
    return 0;
  } catch (error) {
    const reason: unknown = interruption.signal.aborted ? interruption.signal.reason : error;
    printError(reason, program.opts<{ verbose?: boolean }>().verbose === true);
    return exitCodeOf(reason);
  } finally {
    interruption.end();
  }
}

/** @param writeHelp receives the output of --help and --version */
function commandLine(signal: AbortSignal, writeHelp: (text: string) => void): Command {
  const program = new Command("ringrank")
    .description("Run a HuggingFace model on N tensor-parallel ranks, split by a policy that nobody wrote.")
    .version(version())
    .option("--verbose", "print the stack and the causes of an error, as RINGRANK_LOG=debug does")
    .configureHelp({ showGlobalOptions: true })
    .configureOutput({ writeOut: writeHelp })
    .exitOverride()
    .addHelpText("after", examples);

  declareRun(program, signal);
  declareChat(program, signal);
  declarePlan(program, signal);
  declareCache(program);
  printUsageErrorsAsLines(program, "ringrank");
  return program;
}

/** @param path the words that call it: "ringrank cache" */
function printUsageErrorsAsLines(command: Command, path: string): void {
  command.configureOutput({ outputError: (text, write) => write(usageErrorLine(text, path)) });
  for (const child of command.commands) printUsageErrorsAsLines(child, `${path} ${child.name()}`);
}

function version(): string {
  const { version } = createRequire(import.meta.url)("../package.json") as { version: string };
  return version;
}
