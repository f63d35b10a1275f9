import type { PodTemplate } from './pod.ts'

/** The container's environment once its pod is made from another template; what that takes from elsewhere stays as it is. */
export function envAfter(
  env: Map<string, string>,
  container: string,
  { from, to }: Record<'from' | 'to', PodTemplate>,
): Map<string, string> {
  const names = (template: PodTemplate): string[] => variables(template, container).map(({ name }) => name)
  const come = names(to)
  const gone = names(from).filter((name) => !come.includes(name))
  const values = variables(to, container).flatMap(({ name, value = '', valueFrom }): [string, string][] =>
    valueFrom ? [] : [[name, value]],
  )
  return new Map([...[...env].filter(([name]) => !gone.includes(name)), ...values])
}

function variables({ spec }: PodTemplate, container: string) {
  return spec.containers.find(({ name }) => name === container)?.env ?? []
}
