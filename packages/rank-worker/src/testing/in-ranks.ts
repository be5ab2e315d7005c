import { runRanks } from "@ringrank/collectives";
import type { RankProgram } from "@ringrank/policy";
import type {
  LoadProgress,
  LoadReport,
  RunRequest,
  RunResult,
  StepRequest,
  StepResult,
} from "../protocol.js";

export type Call = ["step", StepRequest] | ["run", RunRequest];

interface RankAnswers {
  readonly report: LoadReport;
  readonly progress: readonly LoadProgress[];
  /** By call. */
  readonly results: readonly (StepResult & RunResult)[];
}

/** Starts one rank per program, on threads of their own, and sends each the calls, in order. */
export function inRanks(
  programs: readonly RankProgram[],
  calls: readonly Call[],
  options: { binding?: "synchronous" | "public"; threads?: number } = {},
): Promise<RankAnswers[]> {
  return runRanks(programs.length, new URL("./rank-task.mjs", import.meta.url), {
    programs,
    calls,
    ...options,
  });
}

export const greedy = {
  temperature: 0,
  topK: 0,
  topP: 1,
  minP: 0,
  repetitionPenalty: 1,
  noRepeatNgramSize: 0,
  seed: 0,
  logprobs: false,
};
