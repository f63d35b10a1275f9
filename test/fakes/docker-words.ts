import { EngineError } from '../../agent/adapters/docker/errors.ts'
import type { ContainerJson } from '../../agent/core/docker/json.ts'

/** `key` or `key=value`, as the Engine's filter takes it. */
export function hasLabel(labels: Record<string, string>, label: string): boolean {
  const [key = '', ...value] = label.split('=')
  return key in labels && (value.length === 0 || labels[key] === value.join('='))
}

export function nameOf(json: ContainerJson): string {
  return json.Name.slice(1)
}

export function refusal(what: string, status: number, reply: string): EngineError {
  return new EngineError(what, status, reply, undefined)
}

export function timedOut(ms: number): Promise<undefined> {
  return new Promise((resolve) => {
    setTimeout(() => {
      resolve(undefined)
    }, ms).unref()
  })
}
