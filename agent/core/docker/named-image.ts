import type { ContainerJson } from './json.ts'

/** The container with the name of its image that people and rules know: the kubelet creates containers by an image's id. */
export function withImageName(container: ContainerJson, image: string | null | undefined): ContainerJson {
  return image ? { ...container, Config: { ...container.Config, Image: image } } : container
}
