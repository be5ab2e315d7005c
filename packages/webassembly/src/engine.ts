/** A compiled file, which can be instantiated any number of times. */
export interface CompiledModule {
  readonly [compiled]: never;
}
declare const compiled: unique symbol;

/** A `WebAssembly.Memory`, shared between threads or not. */
interface Memory<Buffer extends ArrayBufferLike> {
  readonly buffer: Buffer;
}

/** The parts of the engine's WebAssembly that are used, because Node's own type declarations have none. */
export const { WebAssembly: engine } = globalThis as unknown as {
  readonly WebAssembly: {
    validate(bytes: Uint8Array): boolean;
    readonly Module: new (bytes: Uint8Array) => CompiledModule;
    /** Thrown by `Module` for bytes that the engine cannot run. */
    readonly CompileError: new () => Error;
    readonly Instance: new (
      module: CompiledModule,
      imports: { readonly env: { readonly memory: Memory<ArrayBufferLike> } },
    ) => { readonly exports: unknown };
    /** In pages. */
    readonly Memory: {
      new (limits: { readonly initial: number; readonly maximum: number }): Memory<ArrayBuffer>;
      new (limits: {
        readonly initial: number;
        readonly maximum: number;
        readonly shared: true;
      }): Memory<SharedArrayBuffer>;
    };
  };
};
