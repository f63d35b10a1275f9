import type { ObservedDeployment } from './deployment.ts'

/** Why an image cannot be changed in the Deployment, or nothing would come of it; null where it can. */
export function deploymentProblem(deployment: ObservedDeployment): { why: string; fix: string } | null {
  const { namespace, name, container, image, isPaused, keeper, replicas } = deployment
  const kubectl = `kubectl -n ${namespace}`
  if (image === null) {
    return {
      why: `Deployment ${namespace}/${name} has no container ${container}`,
      fix: `${kubectl} get deployment ${name} -o yaml shows their names; set controllers.container in the config`,
    }
  }
  if (keeper !== null) {
    return {
      why: `${keeper} keeps Deployment ${namespace}/${name}, and would put the old image back`,
      fix: `change the image in ${keeper}`,
    }
  }
  if (isPaused) {
    return {
      why: `Deployment ${namespace}/${name} is paused`,
      fix: `${kubectl} rollout resume deployment/${name}`,
    }
  }
  if (replicas === 1) return null
  return {
    why: `Deployment ${namespace}/${name} has ${replicas} replicas, and exactly one may be at work`,
    fix: `${kubectl} scale deployment/${name} --replicas=1, if nothing else runs the controllers of this cluster`,
  }
}
