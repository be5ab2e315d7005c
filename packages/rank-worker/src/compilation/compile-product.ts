import type { ProductStep } from "@ringrank/policy";
import { CompiledActivatedProduct } from "../execution/steps/compiled-activated-product.js";
import { CompiledProduct } from "../execution/steps/compiled-product.js";
import type { CompiledStep } from "../execution/steps/compiled-step.js";
import { FloatMultiplier } from "../products/floats/float-multiplier.js";
import type { ProductWeights } from "../products/matrix.js";
import type { Multiplier } from "../products/multiplier.js";
import { Product } from "../products/product.js";
import { IntegerProduct } from "../products/quantized/many-rows/integer-product.js";
import { QuantizedMultiplier } from "../products/quantized/quantized-multiplier.js";
import type { NextStep, RunCompiler } from "./compile-run.js";
import type { EntryScope } from "./entry-scope.js";

/** Compiles products that the rank computes itself, together with an activation that directly follows one. */
export class ProductCompiler {
  readonly #scope: EntryScope;
  readonly #runs: RunCompiler;

  constructor(scope: EntryScope, runs: RunCompiler) {
    this.#scope = scope;
    this.#runs = runs;
  }

  compile(step: ProductStep, next: NextStep): CompiledStep {
    const scope = this.#scope;
    const product = new Product(step, this.#multiplier(step), scope.context.kernels?.memory);
    const value = scope.named(step.value);
    const outputs = step.outputs.map((output) => scope.define(output.name));
    const alone = new CompiledProduct(product, value, outputs, scope.calls(step.segments));
    const activation = this.#runs.epilogueOf(step, next);
    return activation ? new CompiledActivatedProduct(alone, activation.epilogue, activation.made) : alone;
  }

  #multiplier(step: ProductStep): Multiplier {
    return this.#scope.multiplier(step, (weightOf) => this.#multiplierBy(weightOf, step));
  }

  #multiplierBy(weightOf: ProductWeights["weightOf"], step: ProductStep): Multiplier {
    const { context, bySegment } = this.#scope;
    const weights = { weightOf, kernelsOf: context.kernelsOf };
    if (step.bits === 32)
      return new FloatMultiplier(step, this.#scope.segment(step.segments.float32), weights);
    const { int8, uint8 } = step.segments;
    const integers = bySegment.integers.get(int8) ?? this.#integerProduct(int8, uint8);
    bySegment.integers.set(int8, integers);
    return new QuantizedMultiplier(step, integers, weights, context.streamedScales);
  }

  #integerProduct(int8: number, uint8: number): IntegerProduct {
    return new IntegerProduct({ int8: this.#scope.segment(int8), uint8: this.#scope.segment(uint8) });
  }
}
