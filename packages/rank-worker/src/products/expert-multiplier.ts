import type { ProductStep } from "@ringrank/policy";
import type { Epilogue } from "./epilogue.js";
import type { Multiplier, MultiplyInto, RunSegment } from "./multiplier.js";

/**
 * Multiplies by the matrices of the expert that is computing. Experts of a layer share the step and the memory for its
 * results. What the step needs to know about an expert's matrices is prepared when that expert gets its first row.
 */
export class ExpertMultiplier implements Multiplier {
  readonly widths: readonly number[];
  /** Unknown in advance: it depends on the rows which expert is next. */
  readonly headStart = undefined;
  readonly #current: { readonly expert: number };
  readonly #make: (expert: number) => Multiplier;
  readonly #made: (Multiplier | undefined)[] = [];

  constructor(
    { outputs }: ProductStep,
    current: { readonly expert: number },
    make: (expert: number) => Multiplier,
  ) {
    this.widths = outputs.map(({ matrices }) =>
      matrices.map(({ rows }) => rows).reduce((width, rows) => width + rows, 0),
    );
    this.#current = current;
    this.#make = make;
  }

  multiplyFew(x: Float32Array, outputs: readonly Float32Array[]): boolean {
    return this.#multiplier().multiplyFew(x, outputs);
  }

  /** The next row may be another expert's. */
  lastCalls(): undefined {
    return undefined;
  }

  multiplyMany(x: Float32Array, outputs: readonly Float32Array[], run: RunSegment): Promise<void> {
    return this.#multiplier().multiplyMany(x, outputs, run);
  }

  withEpilogue(rows: number, epilogue: Epilogue): MultiplyInto | undefined {
    return this.#multiplier().withEpilogue(rows, epilogue);
  }

  #multiplier(): Multiplier {
    const { expert } = this.#current;
    const made = this.#made[expert] ?? this.#make(expert);
    this.#made[expert] = made;
    return made;
  }
}
