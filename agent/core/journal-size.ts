/** A journal of an upgrade is below 100 kB. Never write more than can be read: no one could settle it. */
export const MAX_JOURNAL_BYTES = 16 * 1024 * 1024

/** Limit of its first record, the plan: the rest is for the run. */
export const MAX_PLAN_BYTES = MAX_JOURNAL_BYTES / 2
