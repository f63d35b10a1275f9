/** What a host asks for when it wants its turn. */
export interface Turn {
  run: string
  /** In words, the same on every host that is to run the same. */
  target: string
}

/** Which host failed with which target, and how: no other host starts with it. */
export interface Halt extends Turn {
  host: string
  reason: string
}

/** What a run says about its target: why it failed, or null if it succeeded. `untouched`: it says nothing. */
export type TurnEnd = 'untouched' | (Turn & { reason: string | null })
