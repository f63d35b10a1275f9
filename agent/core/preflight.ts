import { runsAlready } from './build-plan.ts'
import { AgentError, ExitCode, type Problem } from './errors.ts'
import type { Wanted } from './model.ts'
import { birdRules } from './rules/bird.ts'
import { containerRules } from './rules/container.ts'
import { imageRules } from './rules/image.ts'
import type { Rule, Seen } from './rules/rule.ts'
import { setRules } from './rules/set.ts'
import { versionRules } from './rules/versions.ts'

/** What stands against nothing but a swap is no matter where the image runs already. */
const RULES_WITHOUT_SWAP: readonly Rule[] = [...containerRules, ...imageRules]

/** Every rule, in the order of its report; `agent doctor` goes through the same list. */
export const RULES: readonly Rule[] = [
  ...containerRules,
  ...birdRules,
  ...imageRules,
  ...versionRules,
  ...setRules,
]

/** @throws AgentError `unknown-rule` (exit 2) */
export function checkAllowed(rules: string[]): void {
  const known = RULES.filter(({ allowable }) => allowable).map(({ code }) => code)
  const unknown = rules.find((rule) => !known.includes(rule))
  if (unknown === undefined) return
  throw new AgentError('unknown-rule', `cannot allow "${unknown}": there is no such rule`, {
    fix: `rules: ${known.join(', ')}`,
    exitCode: ExitCode.usage,
  })
}

/** Everything that stands against a swap; what is allowed became a warning. A rollback has no image to look at. */
export function preflight(seen: Seen, wanted: Wanted): Problem[] {
  const { node, image } = seen
  const runs = node !== null && image !== null && runsAlready(node, image)
  return problemsOf(runs ? RULES_WITHOUT_SWAP : RULES, seen, wanted)
}

/** What stands against the image itself. */
export function imageProblems(seen: Seen, wanted: Wanted): Problem[] {
  return problemsOf(imageRules, seen, wanted)
}

function problemsOf(rules: readonly Rule[], seen: Seen, wanted: Wanted): Problem[] {
  return rules.flatMap((rule) => rule.look(seen, wanted)?.problems ?? [])
}
