/** A compiled file, of which any number of instances can be made. */
export interface CompiledModule {
  readonly [compiled]: never;
}
declare const compiled: unique symbol;

/** A `WebAssembly.Memory`, its bytes shared between threads or not. */
interface Memory<Buffer extends ArrayBufferLike> {
  readonly buffer: Buffer;
}

/** The engine's WebAssembly, as much as is used of it: Node's own type declarations have none. */
export const { WebAssembly: engine } = globalThis as unknown as {
  readonly WebAssembly: {
    validate(bytes: Uint8Array): boolean;
    readonly Module: new (bytes: Uint8Array) => CompiledModule;
    /** What `Module` throws of bytes that the engine does not run. */
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
