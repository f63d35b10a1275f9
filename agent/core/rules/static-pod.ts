import { runsAlready } from '../docker/image-state.ts'
import type { Observed, ObservedControllers, ObservedImage } from '../model.ts'
import { containerIn, type ObservedPod, staticPodProblem } from '../pod/static-pod.ts'
import type { Wanted } from '../wanted.ts'
import { notReplaced, type Objection, type Rule, rulesOn } from './rule.ts'

interface Asked {
  name: string
  controllers: ObservedControllers
  pod: ObservedPod
  image: ObservedImage | null
  /** Undefined for Docker. */
  runtime: string | undefined
  byRelease: boolean
}

/** The kubelet can be made to swap the controllers by their manifest. */
export const staticPodRules: Rule[] = rulesOn(asked, [
  {
    code: 'docker-needed',
    severity: 'error',
    about: 'Docker runs the static pod',
    seen: ({ pod }) => pod.pod,
    check: ({ name, runtime, byRelease }) =>
      runtime === undefined
        ? null
        : notReplaced(
            name,
            `it is a static pod, and the container runtime is ${runtime}, not Docker`,
            'change the image in its manifest by hand',
            byRelease,
          ),
  },
  {
    code: 'static-pod-manifest',
    severity: 'error',
    about: 'the manifest names the image in one place that the agent can change',
    seen: ({ pod }) => pod.manifest.path,
    check: (subject) => objectionOf(subject, 'static-pod-manifest') ?? movedTag(subject),
  },
  {
    code: 'kubelet-not-running',
    severity: 'error',
    about: 'the kubelet is running',
    seen: ({ pod: { kubelet } }) => `${kubelet.unit}: ${kubelet.state}`,
    check: (subject) => objectionOf(subject, 'kubelet-not-running'),
  },
  {
    code: 'manifest-pulls-always',
    severity: 'warning',
    about: 'the kubelet starts the controllers without asking the registry',
    seen: ({ pod }) => containerIn(pod).image,
    check: ({ pod }) =>
      containerIn(pod).pullsAlways
        ? {
            message: `${pod.manifest.path} makes the kubelet pull the image at each start: the controllers cannot start while the registry does not answer`,
            fix: 'set imagePullPolicy: IfNotPresent, and use a tag other than latest',
          }
        : null,
  },
])

function objectionOf(
  { name, controllers, pod, byRelease }: Asked,
  code: NonNullable<ReturnType<typeof staticPodProblem>>['code'],
): Objection | null {
  const problem = staticPodProblem(pod, controllers.container)
  return problem?.code === code ? notReplaced(name, problem.why, problem.fix, byRelease) : null
}

/** The manifest would not change, and the kubelet would not notice. */
function movedTag({ name, controllers, pod, image, byRelease }: Asked): Objection | null {
  if (image === null || image.ref !== containerIn(pod).image || runsAlready(controllers, image)) return null
  const why = `${pod.manifest.path} already names ${image.ref}, and that tag now points to another image`
  return notReplaced(name, why, 'name the new image by its digest', byRelease)
}

function asked(
  { controllers, controllersImage, engine }: Observed,
  { controllers: wanted }: Wanted,
): Asked | null {
  if (wanted.image === null || !controllers?.pod) return null
  const { pod } = controllers
  const image = controllersImage
  return {
    name: wanted.container,
    controllers,
    pod,
    image,
    runtime: engine.runtime,
    byRelease: wanted.onlyIfInstalled,
  }
}
