import { RingrankError } from "@ringrank/errors";
import type { FollowingToken, GivenTokens, StepRow } from "../protocol.js";

interface Sequence {
  /** The tokens of its prompt and of what was generated, in order. */
  readonly tokens: number[];
  /** Each of them. */
  readonly seen: Set<number>;
  /** The token chosen last, until it enters. */
  chosen: number | undefined;
  /** The row it was chosen for: the next is chosen likewise. */
  row: GivenTokens | undefined;
}

/** What each sequence has had, and which token was chosen for it last. */
export class TokenHistory {
  readonly #sequences = new Map<number, Sequence>();

  /**
   * The row with the tokens it is about; undefined where the token chosen last has ended the sequence.
   *
   * @throws RR_INPUT where no token was chosen that could enter
   */
  resolve(row: StepRow): GivenTokens | undefined {
    return row.want === "next" ? this.#following(row) : row;
  }

  /** Notes tokens that have entered. */
  enter({ sequence, ids }: GivenTokens): void {
    const history = this.#of(sequence);
    for (const id of ids) {
      history.tokens.push(id);
      history.seen.add(id);
    }
    history.chosen = undefined;
  }

  /** Notes what was chosen to follow a row's tokens. */
  choose(row: GivenTokens, token: number): void {
    const history = this.#of(row.sequence);
    history.chosen = token;
    history.row = row;
  }

  /** The tokens that have entered: in order, and each of them. */
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
