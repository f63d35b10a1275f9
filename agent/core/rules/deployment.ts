import type { Problem } from '../errors.ts'
import { known } from '../known.ts'
import type { ObservedConfigMap } from '../kubernetes/config-map.ts'
import type { ObservedDeployment } from '../kubernetes/deployment.ts'
import { deploymentProblem } from '../kubernetes/deployment-problem.ts'
import type { Observed, ObservedImage } from '../model.ts'
import { isDeploymentStale } from '../plan/config-map.ts'
import type { Wanted } from '../wanted.ts'
import { notReplaced, type Objection, type Rule, rulesOn } from './rule.ts'

interface Asked {
  name: string
  deployment: ObservedDeployment | { problem: Problem }
  byRelease: boolean
}

interface Known {
  name: string
  deployment: ObservedDeployment
  image: ObservedImage | null
  byRelease: boolean
}

/** The Deployment of kube-controllers can be brought to the image, and one pod takes over from the other. */
export const deploymentRules: Rule[] = [
  ...rulesOn(asked, [
    {
      code: 'controllers-deployment',
      severity: 'error',
      about: 'the agent can change the Deployment of the controllers',
      seen: ({ deployment }) => ('image' in deployment ? nameOf(deployment) : ''),
      check: ({ name, deployment, byRelease }) => {
        if ('problem' in deployment) return unreached(name, deployment.problem, byRelease)
        const problem = deploymentProblem(deployment)
        return problem && notReplaced(name, problem.why, problem.fix, byRelease)
      },
    },
  ]),
  ...rulesOn(changeable, [
    {
      code: 'deployment-rolling',
      severity: 'error',
      allowable: true,
      deferrable: true,
      about: 'the Deployment of the controllers is rolled out, and available',
      seen: ({ deployment: { strategy } }) => `strategy ${strategy}`,
      check: ({ deployment }) => (deployment.isAvailable ? null : rolling(deployment)),
    },
    {
      code: 'not-controllers',
      severity: 'error',
      allowable: true,
      about: 'the image of the Deployment looks like kube-controllers',
      seen: ({ deployment }) => deployment.image ?? '',
      check: ({ deployment }) =>
        /kube-controllers|kube-policy-controller/.test(deployment.image ?? '')
          ? null
          : {
              message: `cannot upgrade ${nameOf(deployment)}: it runs ${deployment.image ?? ''}, which does not look like kube-controllers`,
              fix: 'set controllers.container in the config',
            },
    },
    {
      code: 'image-not-found',
      severity: 'error',
      about: 'the registry has the image of the controllers',
      seen: ({ image }) => image?.ref ?? '',
      check: ({ deployment, image }) => image && notFound(deployment, image),
    },
    {
      code: 'deployment-tag-moved',
      severity: 'error',
      about: 'the tag in the Deployment has not moved to another image',
      seen: ({ image }) => image?.ref ?? '',
      check: movedTag,
    },
  ]),
]

function nameOf({ namespace, name }: ObservedDeployment): string {
  return `Deployment ${namespace}/${name}`
}

function unreached(name: string, problem: Problem, byRelease: boolean): Objection {
  if (!byRelease) return problem
  return { ...problem, severity: 'warning', message: `${name} is left alone: ${problem.message}` }
}

function rolling(deployment: ObservedDeployment): Objection {
  const { namespace, name, trouble, run } = deployment
  const by = run === null ? '' : `; run ${run} changed it`
  return {
    message: `cannot upgrade ${nameOf(deployment)}: it is not rolled out and available${trouble === null ? '' : `: ${trouble}`}${by}`,
    fix: `wait for it: kubectl -n ${namespace} rollout status deployment/${name}`,
  }
}

/** Only what does not exist for anybody stands against it: the kubelet that pulls may have what this host has not. */
function notFound(
  { hasPullSecrets, pods }: ObservedDeployment,
  { ref, local, remote }: ObservedImage,
): Objection | null {
  if (!('error' in remote) || local !== null) return null
  const { error } = remote
  const node = pods[0]?.node ?? 'its Node'
  if (error.code === 'image-not-found' && !hasPullSecrets) return error
  return {
    ...error,
    severity: 'warning',
    message: `${error.message}; the kubelet of ${node} pulls ${ref}, and may find it`,
  }
}

/** The template would not change, and nothing would be rolled out. */
function movedTag({ name, deployment, image, byRelease }: Known): Objection | null {
  if (image === null || image.ref !== deployment.image || !('digest' in image.remote)) return null
  const { digest } = image.remote
  const differs = deployment.pods.some((pod) => pod.digest !== null && pod.digest !== digest)
  if (!differs) return null
  const why = `${nameOf(deployment)} already names ${image.ref}, and that tag now points to another image`
  return notReplaced(name, why, 'name the new image by its digest', byRelease)
}

function asked({ deployment, configMap }: Observed, { controllers: wanted }: Wanted): Asked | null {
  if (!deployment) return null
  const map = known(configMap)
  if (wanted.image === null && !(map && readsOrMay(deployment, map))) return null
  return { name: wanted.container, deployment, byRelease: wanted.image === null || wanted.onlyIfInstalled }
}

/** One that cannot be read may have to be restarted. */
function readsOrMay(deployment: Asked['deployment'], map: ObservedConfigMap): boolean {
  return 'problem' in deployment || isDeploymentStale(map, deployment)
}

/** What cannot be changed is told by the first rule. */
function changeable(observed: Observed, wanted: Wanted): Known | null {
  const subject = asked(observed, wanted)
  if (subject === null || 'problem' in subject.deployment) return null
  if (deploymentProblem(subject.deployment) !== null) return null
  return { ...subject, deployment: subject.deployment, image: observed.controllersImage }
}
