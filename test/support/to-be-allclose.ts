import { expect } from "vitest";

export interface Tolerance {
  /** Allowed difference relative to the expected magnitude. */
  rtol: number;
  /** Allowed absolute difference. */
  atol: number;
}

declare module "vitest" {
  // biome-ignore lint/suspicious/noExplicitAny: vitest declares the parameter so, and declarations must agree.
  interface Matchers<T = any> {
    /** Every element within `atol + rtol · |expected|`, NaN equal to NaN: NumPy's `allclose`. */
    toBeAllclose(expected: ArrayLike<number>, tolerance: Tolerance): T;
  }
}

expect.extend({
  toBeAllclose(received: ArrayLike<number>, expected: ArrayLike<number>, { rtol, atol }: Tolerance) {
    if (received.length !== expected.length) {
      return { pass: false, message: () => `expected ${expected.length} elements, got ${received.length}` };
    }
    let worst = -1;
    let worstExcess = 0;
    for (let i = 0; i < expected.length; i++) {
      const a = received[i]!;
      const b = expected[i]!;
      if (Object.is(a, b) || a === b) continue;
      const excess = Math.abs(a - b) - (atol + rtol * Math.abs(b));
      if (!(excess <= worstExcess)) {
        worst = i;
        worstExcess = excess;
      }
    }
    const pass = worst === -1;
    return {
      pass,
      message: () =>
        pass
          ? `expected some element to differ by more than atol ${atol} + rtol ${rtol}`
          : `element ${worst}: expected ${expected[worst]}, got ${received[worst]} (atol ${atol}, rtol ${rtol})`,
    };
  },
});
