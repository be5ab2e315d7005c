/**
 * Transfers errors across the control plane. comlink by itself loses `code`, `rank` and `cause`. With this handler on
 * both sides, in place of comlink's own for thrown values, a RingrankError arrives as a RingrankError.
 */
import { type ErrorData, errorFromData, errorToData } from "@ringrank/errors";

/** comlink's type, whose own declarations use those of browsers. */
interface TransferHandler<Value, Data> {
  canHandle(value: unknown): value is Value;
  serialize(value: Value): [data: Data, transferred: unknown[]];
  deserialize(data: Data): Value;
}

/** By name, as comlink has them. */
export type TransferHandlers = Map<string, TransferHandler<unknown, unknown>>;

/** comlink's wrapper around a thrown value. */
interface Thrown {
  readonly value: unknown;
}

/**
 * Idempotent; call it on each thread before any message passes.
 *
 * @param handlers `transferHandlers` of the caller's own comlink
 */
export function installErrorTransferHandler(handlers: TransferHandlers): void {
  const own = handlers.get("throw");
  const handler: TransferHandler<Thrown, ErrorData> = {
    // comlink marks thrown values with a private symbol, so only its own check recognizes them.
    canHandle: (value): value is Thrown => own?.canHandle(value) ?? false,
    serialize: ({ value }) => [errorToData(value), []],
    deserialize: (data) => {
      throw errorFromData(data);
    },
  };
  handlers.set("throw", handler as TransferHandler<unknown, unknown>);
}
