import { runsAlready } from '../docker/image-state.ts'
import type { ContainerJson } from '../docker/json.ts'
import type { Observed, ObservedControllers, ObservedImage, Owner } from '../model.ts'
import { controllersEnv } from '../release/controllers-env.ts'
import type { Wanted } from '../wanted.ts'
import { controllersUserRules } from './controllers-user.ts'
import { imageRules } from './image.ts'
import { controllersKeeperRules } from './keepers.ts'
import { notReplaced, type Rule, rulesOn } from './rule.ts'
import { controllersUnitRules } from './unit.ts'

interface Asked {
  name: string
  controllers: ObservedControllers
  /** Only a release requests them: what cannot be upgraded is left alone. */
  byRelease: boolean
}

export const controllersImageRules: Rule[] = imageRules(({ controllersImage, deployment }) =>
  deployment ? null : controllersImage,
)

export const controllersEnvRules: Rule[] = rulesOn(moving, [
  {
    code: 'controllers-env',
    severity: 'error',
    allowable: true,
    about: 'the settings of the old controllers are enough for the new ones',
    seen: () => 'no setting is dropped',
    check: ({ controllers, image }) => controllersEnv(controllers, image),
  },
])

/** The controllers run here, and one instance can take over from the other. */
export const controllersRules: Rule[] = [
  ...rulesOn(named, [
    {
      code: 'no-controllers',
      severity: 'error',
      about: 'the controllers container exists',
      seen: ({ name }) => name,
      check: ({ name, there }) =>
        there
          ? null
          : {
              message: `cannot upgrade ${name}: there is no such container`,
              fix: 'docker ps -a shows the names; set controllers.container, or remove controllers from the config if another host runs them',
            },
    },
  ]),
  ...rulesOn(asked, [
    {
      code: 'controllers-owner',
      severity: 'error',
      about: 'Docker, a systemd unit or a static pod keeps the controllers running',
      seen: ({ controllers: { container, owner } }) => keeperSeen(owner, container),
      check: ({ name, controllers: { owner }, byRelease }) =>
        owner.kind === 'kubelet' ? notReplaced(name, owner.why, KUBELET_FIX, byRelease) : null,
    },
    {
      code: 'controllers-not-running',
      severity: 'error',
      about: 'the controllers run on this host',
      seen: ({ controllers }) => `since ${controllers.container.State.StartedAt.replace(/\.\d+/, '')}`,
      check: ({ name, controllers, byRelease }) =>
        controllers.container.State.Running
          ? null
          : notReplaced(
              name,
              `it is ${controllers.container.State.Status}, and an upgrade would start the new one`,
              startFix(name, controllers),
              byRelease,
            ),
    },
    {
      code: 'not-controllers',
      severity: 'error',
      allowable: true,
      about: 'the container looks like kube-controllers',
      seen: ({ controllers }) => controllers.container.Config.Image,
      check: ({ name, controllers: { container } }) =>
        looksLikeControllers(container)
          ? null
          : {
              message: `cannot upgrade ${name}: it runs ${container.Config.Image}, which does not look like kube-controllers`,
              fix: 'set controllers.container in the config',
            },
    },
  ]),
  ...controllersUnitRules,
  ...controllersKeeperRules,
  ...controllersImageRules,
  ...controllersEnvRules,
  ...controllersUserRules,
]

function keeperSeen(owner: Owner, { HostConfig }: ContainerJson): string {
  if (owner.kind === 'static-pod') return owner.manifest
  return owner.kind === 'systemd'
    ? `only ${owner.unit}`
    : `restart policy ${HostConfig.RestartPolicy.Name || 'no'}`
}

function startFix(name: string, { pod, unit }: ObservedControllers): string {
  if (pod) return `journalctl -u ${pod.kubelet.unit} shows why the kubelet does not start it`
  const start = unit ? `systemctl start ${unit.source.name}` : `docker start ${name}`
  return `${start}, if no other host of the cluster runs the controllers`
}

const KUBELET_FIX =
  'name the cluster in the config: kubernetes; to let the agent find a static pod, set kubelet.manifests to the directory of its manifest'

/** A release brings the controllers only where there are some. */
function named({ controllers, deployment }: Observed, { controllers: wanted }: Wanted) {
  if (wanted.image === null || wanted.onlyIfInstalled || deployment) return null
  return { name: wanted.container, there: controllers !== null }
}

/** A Deployment has rules of its own. */
function asked({ controllers, deployment }: Observed, { controllers: wanted }: Wanted): Asked | null {
  if (wanted.image === null || controllers === null || deployment) return null
  return { name: wanted.container, controllers, byRelease: wanted.onlyIfInstalled }
}

function moving({ controllers, controllersImage: image }: Observed): {
  controllers: ObservedControllers
  image: ObservedImage
} | null {
  return controllers === null || image === null || runsAlready(controllers, image)
    ? null
    : { controllers, image }
}

function looksLikeControllers({ Config }: ContainerJson): boolean {
  const program = [...(Config.Entrypoint ?? []), ...(Config.Cmd ?? [])].join(' ')
  return [Config.Image, program].some((text) => /kube-controllers|kube-policy-controller/.test(text))
}
