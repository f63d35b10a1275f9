/** A journal of an upgrade is below 100 kB. What is written is never more than what is read: nobody could settle it. */
export const MAX_JOURNAL_BYTES = 16 * 1024 * 1024

/** Of its first record, the plan: the rest is for what the run does. */
export const MAX_PLAN_BYTES = MAX_JOURNAL_BYTES / 2
