import type { restartTimeline, Timeline } from '../fakes/bird.ts'

/** Of a host whose calico/node a DaemonSet keeps. */
export interface HostedOptions {
  /** Where the rollout stands on the other host of the cluster; without, there is none. */
  other?: 'to come' | 'done'
  /** How the new image's BIRD behaves; by default as the old one's. */
  newBird?: (instance: string) => Timeline
  newExitsAfter?: number
  /** How fast a BIRD is back, but for `newBird`. */
  times?: Parameters<typeof restartTimeline>[2]
  /** A key of the ConfigMap is asked for: beside the image, or alone. */
  config?: 'beside the image' | 'alone'
  /** The kubelet cannot find the new image. */
  unknown?: boolean
  /** All of it is asked for by a manifest. */
  manifest?: boolean
  /** The kubelet has another container runtime than Docker. */
  containerd?: boolean
  /** What an admission webhook makes of the images of new pods. */
  admission?: (image: string) => string
  /** The webhook is younger than the pods. */
  admitsLate?: boolean
  /** The mirror has other digests, as one of a single platform. */
  mirrorDiffers?: boolean
}
