import type { ContainerJson } from '../docker/json.ts'
import { podContainer } from './static-pod.ts'

/** The command line by which an operator runs a command in the container, whatever container runtime a pod has. */
export function commandIn({ Name, Config }: Pick<ContainerJson, 'Name' | 'Config'>, command: string): string {
  const pod = podContainer(Config.Labels ?? {})
  if (pod === null) return `docker exec ${Name.replace(/^\//, '')} ${command}`
  return `kubectl -n ${pod.namespace} exec ${pod.pod} -c ${pod.container} -- ${command}`
}
