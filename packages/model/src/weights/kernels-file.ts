/**
 * The compiled kernels. The path is the same from dist/bundle/ as from src/weights/, where tests run, because both have
 * the same depth.
 */
export const kernelsFile = (): URL => new URL("../../dist/kernels.wasm", import.meta.url);
