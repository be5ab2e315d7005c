import { CallList } from "../../kernels/call-list.js";
import type { RankKernels } from "../../kernels/rank-kernels.js";
import type { HeadStart } from "../../products/head-start.js";
import type { Table } from "../../tensors/table.js";
import type { Tensor } from "../../tensors/tensor.js";
import type { PlacedStep } from "../compiled-entry.js";
import { runSteps } from "../run-steps.js";
import type { CompiledStep, RunState } from "./compiled-step.js";
import { isKernelStep, type KernelStep } from "./kernel-step.js";

/** What the steps did in their last run. */
interface Recorded {
  readonly calls: CallList;
  /** The kernels' workspace. If it moves, the calls would use memory that may belong to something else. */
  readonly scratch: Float32Array | undefined;
  /** By index of {@link Edges.writes}. */
  readonly results: readonly (Tensor | undefined)[];
}

/** Indices of the values that pass between a group of steps and the steps around it. */
interface Edges {
  /** Values of earlier steps that the group reads. */
  readonly reads: readonly number[];
  /** Values for later steps. */
  readonly writes: readonly number[];
  /** Values of earlier steps that only this group still needs. */
  readonly drops: readonly number[];
}

/**
 * Consecutive steps that consist of kernel calls, like a norm, a product, its activation and another product. From token
 * to token they work on the same tensors, so from the third run on their calls are repeated from a list, without running
 * the steps: their code and objects would have to come from memory each time, because the weights displace them from
 * the caches. docs/design/what-a-rank-computes.md has the measurements.
 */
export class CompiledKernelSteps implements CompiledStep {
  readonly headStart: HeadStart | undefined;
  readonly #steps: readonly PlacedStep[];
  readonly #kernelSteps: readonly KernelStep[];
  readonly #headStarts: readonly HeadStart[];
  readonly #kernels: RankKernels;
  readonly #edges: Edges;
  /** Of the last run, by index of {@link Edges.reads}. */
  #inputs: readonly (Tensor | undefined)[] = [];
  #recorded: Recorded | undefined;

  /** @param steps kernel steps that follow one another */
  constructor(steps: readonly PlacedStep[], kernels: RankKernels) {
    this.#steps = steps;
    this.#kernelSteps = steps.map(({ step }) => step).filter(isKernelStep);
    this.#headStarts = this.#kernelSteps.flatMap(({ headStart }) => headStart ?? []);
    this.headStart = this.#headStarts[0];
    this.#kernels = kernels;
    this.#edges = edgesOf(steps);
  }

  /** With a trace, the steps run one by one, because it has the time of each. */
  run(state: RunState): void | Promise<void> {
    const { table, trace, communicator } = state;
    if (trace !== undefined || this.#recorded === undefined || !this.#isAsBefore(table))
      return this.#runSteps(state);
    for (let at = 0; at < this.#headStarts.length; at++) this.#headStarts[at]!.reset();
    this.#recorded.calls.run();
    const { writes, drops } = this.#edges;
    for (let at = 0; at < drops.length; at++) table[drops[at]!] = undefined;
    for (let at = 0; at < writes.length; at++) table[writes[at]!] = this.#recorded.results[at];
    communicator.progress();
  }

  async #runSteps(state: RunState): Promise<void> {
    this.#forget();
    const isRepeated = state.trace === undefined && this.#hasInputs(state.table);
    this.#inputs = this.#edges.reads.map((index) => state.table[index]);
    await runSteps(this.#steps, this.#steps.length, state);
    if (isRepeated) this.#record(state.table);
  }

  #isAsBefore(table: Table): boolean {
    return this.#hasInputs(table) && this.#kernels.scratch(0) === this.#recorded!.scratch;
  }

  #hasInputs(table: Table): boolean {
    const { reads } = this.#edges;
    for (let at = 0; at < reads.length; at++) if (table[reads[at]!] !== this.#inputs[at]) return false;
    return this.#inputs.length === reads.length;
  }

  #record(table: Table): void {
    const calls = this.#kernelSteps.map((step) => step.lastCalls(this.#kernels));
    if (!calls.every((ofStep) => ofStep !== undefined)) return;
    const list = CallList.open(this.#kernels, calls.flat());
    if (list === undefined) return;
    const results = this.#edges.writes.map((index) => table[index]);
    this.#recorded = { calls: list, scratch: this.#kernels.scratch(0), results };
  }

  #forget(): void {
    this.#recorded?.calls.release();
    this.#recorded = undefined;
  }
}

function edgesOf(steps: readonly PlacedStep[]): Edges {
  const reads = new Set<number>();
  const written = new Set<number>();
  for (const { step } of steps) {
    if (!isKernelStep(step)) continue;
    for (const index of step.reads) if (!written.has(index)) reads.add(index);
    for (const index of step.writes) written.add(index);
  }
  const dropped = new Set(steps.flatMap(({ drop }) => drop));
  return {
    reads: [...reads],
    writes: [...written].filter((index) => !dropped.has(index)),
    drops: [...reads].filter((index) => dropped.has(index)),
  };
}
