/**
 * The callbacks of a load's caller. They are called until the load has settled, and an error of one, thrown or
 * rejected, ends the load.
 */
export class LoadCallbacks {
  readonly #onError: (error: unknown) => void;
  #hasEnded = false;

  constructor(onError: (error: unknown) => void) {
    this.#onError = onError;
  }

  /** `callback` in the form that the load calls: messages of ranks may still arrive after it has settled. */
  of<Argument>(
    callback: ((argument: Argument) => void) | undefined,
  ): ((argument: Argument) => void) | undefined {
    return callback && ((argument) => void this.#call(callback, argument));
  }

  end(): void {
    this.#hasEnded = true;
  }

  async #call<Argument>(callback: (argument: Argument) => unknown, argument: Argument): Promise<void> {
    if (this.#hasEnded) return;
    try {
      await callback(argument);
    } catch (error) {
      // Nobody waits for the load any more, so this becomes an unhandled rejection.
      if (this.#hasEnded) throw error;
      this.#onError(error);
    }
  }
}
