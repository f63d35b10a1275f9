import type { Problem } from '../errors.ts'
import { known } from '../known.ts'
import type { ObservedConfigMap } from '../kubernetes/config-map.ts'
import type { ObservedDaemonSet } from '../kubernetes/daemon-set.ts'
import type { Observed } from '../model.ts'
import { staleConfig } from '../plan/config-map.ts'
import { bringsOtherNode } from './daemon-set.ts'
import { type Objection, type Rule, rulesOn } from './rule.ts'

/** The keys that are asked for can be written, and are read by somebody. */
export const configMapRules: Rule[] = [
  ...rulesOn(
    ({ configMap }) => configMap ?? null,
    [
      {
        code: 'config-map',
        severity: 'error',
        about: 'the agent can change the ConfigMap of Calico',
        seen: (found) => ('problem' in found ? '' : nameOf(found)),
        check: (found): Problem | null => ('problem' in found ? found.problem : null),
      },
    ],
  ),
  ...rulesOn(alone, [
    {
      code: 'config-map',
      severity: 'error',
      about: 'a new pod runs the same calico/node, with the requested config',
      seen: ({ pod }) => pod.name,
      check: (set) => (bringsOtherNode(set) ? otherNode(set) : null),
    },
  ]),
  ...rulesOn(
    // a manifest may bring a key, and the container that reads it
    ({ configMap, manifest }) => (manifest ? null : known(configMap)),
    [
      {
        code: 'config-map-key',
        severity: 'error',
        allowable: true,
        about: 'the keys of hosted.configMap exist, or a container reads them',
        seen: ({ after }) => Object.keys(after).join(', '),
        check: (found) => found.unknown.map((key) => unknownKey(found, key)),
      },
    ],
  ),
  ...rulesOn(
    ({ configMap }) => known(configMap),
    [
      {
        code: 'config-map-backend',
        severity: 'error',
        about: 'the networking backend stays as it is',
        seen: ({ backendKey, now }) => (backendKey === null ? '' : (now[backendKey] ?? 'not requested')),
        check: otherBackend,
      },
    ],
  ),
]

/** The DaemonSet whose pod is started anew for the config alone; the rule about plugins has its own word. */
function alone(observed: Observed): ObservedDaemonSet | null {
  const { node, image, cni } = observed
  if (image !== null || cni !== null || !staleConfig(observed)) return null
  return known(node?.daemonSet)
}

function otherNode({ namespace, name, pod }: ObservedDaemonSet): Objection {
  return {
    message: `cannot change the ConfigMap alone: the template of DaemonSet ${namespace}/${name} has another calico/node than pod ${pod.name}`,
    fix: 'name the calico/node as well: --node IMAGE',
  }
}

function nameOf({ namespace, name }: ObservedConfigMap): string {
  return `${namespace}/${name}`
}

function unknownKey(found: ObservedConfigMap, key: string): Objection {
  return {
    message: `cannot set ${key} in ConfigMap ${nameOf(found)}: it has no such key, and no container reads it`,
    fix: `correct hosted.configMap; the keys are ${found.known.join(', ')}`,
  }
}

/** Another backend takes the routes of the running pods away: no gate can prevent that. */
function otherBackend({ backendKey, now, after }: ObservedConfigMap): Objection | null {
  if (backendKey === null || !(backendKey in after) || now[backendKey] === after[backendKey]) return null
  return {
    message: `cannot change ${backendKey} from ${now[backendKey] ?? 'nothing'} to ${after[backendKey] ?? 'nothing'}: calico/node would stop announcing the routes of the pods that run`,
    fix: `remove ${backendKey} from hosted.configMap, and change it by hand once the pods of each node are drained`,
  }
}
