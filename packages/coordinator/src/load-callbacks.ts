/** Callbacks of a load's caller: called until it has settled, and an error of one, thrown or of its promise, ends it. */
export class LoadCallbacks {
  readonly #onError: (error: unknown) => void;
  #hasEnded = false;

  constructor(onError: (error: unknown) => void) {
    this.#onError = onError;
  }

  /** `callback` as the load calls it: messages of ranks may be on their way when that has settled. */
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
      // Nobody waits for the load any more: a rejection that nobody handles, as of any promise.
      if (this.#hasEnded) throw error;
      this.#onError(error);
    }
  }
}
