import type { Problem } from './errors.ts'

const MOST_NAMES = 5

/** `a, b, c`; if there are many, the first few and the number of the rest. */
export function abbreviatedList(names: string[]): string {
  const more = names.length - MOST_NAMES
  return more <= 1 ? names.join(', ') : `${names.slice(0, MOST_NAMES).join(', ')} and ${more} more`
}

/** For people: merges problems with the same code and text about several subjects, and names some of them. */
export function grouped<P extends Problem>(problems: P[]): P[] {
  const groups = Map.groupBy(problems, reasonOf)
  return [...groups.values()].flatMap((group) => joined(group))
}

function reasonOf(problem: Problem): string {
  const { code, severity, subject, message } = problem
  return subject === undefined
    ? JSON.stringify([code, severity, message, problem.fix])
    : JSON.stringify([code, severity, message.replaceAll(subject, '\0')])
}

function joined<P extends Problem>(group: P[]): P[] {
  const [first, ...others] = group
  if (first?.subject === undefined || others.length === 0) return group
  const names = others.flatMap(({ subject }) => subject ?? [])
  return [{ ...first, message: `${first.message} (${others.length} more: ${abbreviatedList(names)})` }]
}
