/** The compiled kernels. The same from dist/bundle/ as from src/weights/, where tests run: so deep, and no deeper. */
export const kernelsFile = (): URL => new URL("../../dist/kernels.wasm", import.meta.url);
