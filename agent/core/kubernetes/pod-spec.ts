/** A container as a pod or a template names it. */
export interface PodContainerSpec {
  name: string
  image: string
}

/** What else the agent reads of a container; the API server fills in the policy. */
export interface ContainerOfPod extends PodContainerSpec {
  imagePullPolicy?: string
  env?: { name: string; value?: string }[]
  volumeMounts?: { name: string; mountPath: string }[]
}

export interface PodSpec {
  containers: ContainerOfPod[]
  initContainers?: ContainerOfPod[]
}
