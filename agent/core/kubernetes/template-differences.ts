import type { ContainerOfPod, PodSpec } from './pod.ts'

/** The kubelet's credential in each pod, which no template has. */
const TOKEN = '/var/run/secrets/kubernetes.io/serviceaccount'

/** What else than images a new pod of the template brings: environment and mounts that this host's pod has otherwise. */
export function templateDifferences(template: PodSpec, pod: PodSpec): string[] {
  const all = containersOf(pod)
  return containersOf(template).flatMap((one) => {
    const other = all.find(({ name }) => name === one.name)
    return other
      ? differencesOf(one, other).map((what) => `${what} of ${one.name}`)
      : [`container ${one.name}`]
  })
}

function containersOf({ containers, initContainers = [] }: PodSpec): ContainerOfPod[] {
  return [...initContainers, ...containers]
}

function differencesOf(one: ContainerOfPod, other: ContainerOfPod): string[] {
  return [
    ...differing(variables(one), variables(other)).map((name) => `variable ${name}`),
    ...differing(mounts(one), mounts(other)).map((path) => `mount ${path}`),
  ]
}

function variables({ env = [] }: ContainerOfPod): Map<string, string> {
  return new Map(env.map((one) => [one.name, JSON.stringify(one)]))
}

function mounts({ volumeMounts = [] }: ContainerOfPod): Map<string, string> {
  const own = volumeMounts.filter(({ mountPath }) => mountPath !== TOKEN)
  return new Map(own.map((one) => [one.mountPath, JSON.stringify(one)]))
}

function differing(one: Map<string, string>, other: Map<string, string>): string[] {
  const keys = new Set([...one.keys(), ...other.keys()])
  return [...keys].filter((key) => one.get(key) !== other.get(key))
}
