import { RingrankError } from "@ringrank/errors";
import type { FollowingToken, GivenTokens, StepRow } from "../protocol.js";

interface Sequence {
  /** The tokens of its prompt and its generated tokens, in order. */
  readonly tokens: number[];
  /** The set of these tokens. */
  readonly seen: Set<number>;
  /** The token chosen last, until it enters. */
  chosen: number | undefined;
  /** The row it was chosen for; the next one is chosen in the same way. */
  row: GivenTokens | undefined;
}

/** The tokens of each sequence, and the token chosen last for it. */
export class TokenHistory {
  readonly #sequences = new Map<number, Sequence>();

  /**
   * The row with its tokens; undefined if the token chosen last has ended the sequence.
   *
   * @throws RR_INPUT if no token has been chosen that could enter
   */
  resolve(row: StepRow): GivenTokens | undefined {
    return row.want === "next" ? this.#following(row) : row;
  }

  /** Records tokens that have entered. */
  enter({ sequence, ids }: Pick<GivenTokens, "sequence" | "ids">): void {
    const history = this.#of(sequence);
    for (const id of ids) {
      history.tokens.push(id);
      history.seen.add(id);
    }
    history.chosen = undefined;
  }

  /** Records the token chosen after a row's tokens. */
  choose(row: GivenTokens, token: number): void {
    const history = this.#of(row.sequence);
    history.chosen = token;
    history.row = row;
  }

  /** The tokens that have entered: in order, and as a set. */
  had(sequence: number): { readonly tokens: readonly number[]; readonly seen: ReadonlySet<number> } {
    return this.#of(sequence);
  }

  forget(sequence: number): void {
    this.#sequences.delete(sequence);
  }

  #following({ sequence }: FollowingToken): GivenTokens | undefined {
    const { chosen, row } = this.#sequences.get(sequence) ?? {};
    if (chosen === undefined || row === undefined) {
      throw new RingrankError(
        "RR_INPUT",
        `expected sequence ${sequence} to have a chosen token that has not entered yet, got none`,
      );
    }
    return row.endIds?.includes(chosen) ? undefined : { ...row, ids: [chosen] };
  }

  #of(sequence: number): Sequence {
    let history = this.#sequences.get(sequence);
    if (history === undefined) {
      history = { tokens: [], seen: new Set(), chosen: undefined, row: undefined };
      this.#sequences.set(sequence, history);
    }
    return history;
  }
}
