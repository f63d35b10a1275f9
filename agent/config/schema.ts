import { isIPv4, isIPv6 } from 'node:net'
import { normalize } from 'node:path'
import * as z from 'zod'
import { parseImageRef, repository } from '../core/docker/image-ref.ts'
import type { WantedManifest } from '../core/kubernetes/manifest.ts'
import { releaseImages, unknownRelease } from '../core/release/releases.ts'
import { fleetSection } from './fleet-schema.ts'
import { imageRef } from './image-schema.ts'
import { releaseEntry, releaseName, releaseTable } from './release-schema.ts'

/** Docker's own rule for names (RestrictedNameChars in moby's daemon/names). */
const containerName = z
  .string()
  .regex(/^[a-zA-Z0-9][a-zA-Z0-9_.-]+$/, 'must be a container name: letters, digits, "_", "." and "-"')

const absolutePath = z
  .string()
  .regex(/^\/[^\0]*$/, 'must be an absolute path, without a scheme such as unix://')

/** Docker would take `mirror` for an account at Docker Hub. */
const registryPrefix = z.string().refine((text) => {
  try {
    return repository(parseImageRef(`${text}/calico/node`)) === `${text}/calico/node`
  } catch {
    return false
  }
}, 'must be a registry, with or without a path, such as quay.io or registry.example:5000/mirror')

const seconds = (min: number, max: number) => z.number().int().min(min).max(max)
const count = (min: number) => z.number().int().min(min).max(1_000)

const unitName = z.string().regex(/^[^/\s]+\.service$/, 'must be a unit name')

/** A DNS subdomain (RFC 1123), as the API server wants it. */
const nodeName = z
  .string()
  .max(253)
  .regex(/^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/, 'must be a Node name, or auto')

/** As the API server takes it (k8s.io/apimachinery, IsConfigMapKey). */
const configMapKey = z
  .string()
  .max(253)
  .regex(/^[-._a-zA-Z0-9]+$/, 'must be a key of a ConfigMap: letters, digits, "-", "_" and "."')

/** A plugin's name is the name of its file, and of a field in the CNI config. */
const pluginName = z
  .string()
  .regex(/^[a-zA-Z0-9][a-zA-Z0-9_.-]*$/, 'must be the name of a CNI plugin, not a path')
/** From v3.16 on, the images also contain `install`, which installs whatever its arguments are. */
const binaryName = pluginName.refine(
  (name) => name !== 'install',
  'is the installer of calico/cni, not a plugin: name only plugins',
)
const fileName = z
  .string()
  .regex(/^[^/.][^/]*\.(conf|conflist|json)$/, 'must be a file name that ends in .conf, .conflist or .json')
const sha256 = z.string().regex(/^[0-9a-f]{64}$/, 'must be a SHA-256: 64 hex digits')

/** YAML may hold an integer that JavaScript rounds: the file would get another number than the config says. */
function refuseRounded(value: unknown, context: z.RefinementCtx, path: PropertyKey[] = []): void {
  if (typeof value === 'number' && Number.isInteger(value) && !Number.isSafeInteger(value))
    context.addIssue({
      code: 'custom',
      path: [...path],
      message: 'this number is too large to be stored exactly',
    })
  if (typeof value !== 'object' || value === null) return
  for (const [key, inner] of Object.entries(value)) refuseRounded(inner, context, [...path, key])
}

const CNI_SOURCES = ['image', 'directory', 'archive'] as const

const tcpAddress = z.stringFormat('tcp-address', isTcpAddress, {
  error: 'must be an address and a port from 1 to 65535: 127.0.0.1:9470 or [::1]:9470',
})

function isTcpAddress(text: string): boolean {
  const [, ipv6, ipv4, port] = /^(?:\[(.+)\]|([^[\]]+)):(\d{1,5})$/.exec(text) ?? []
  const isAddress = ipv6 === undefined ? isIPv4(ipv4 ?? '') : isIPv6(ipv6)
  return isAddress && Number(port) >= 1 && Number(port) <= 65_535
}

const sections = {
  node: z.strictObject({
    image: imageRef.optional(),
    container: containerName.default('calico-node'),
    manager: z.enum(['auto', 'docker', 'systemd']).default('auto'),
    unit: unitName.optional(),
  }),
  controllers: z.strictObject({
    image: imageRef.optional(),
    container: containerName.default('calico-kube-controllers'),
    manager: z.enum(['auto', 'docker', 'systemd', 'static-pod', 'deployment']).default('auto'),
    unit: unitName.optional(),
  }),
  bird: z.strictObject({
    sockets: z.array(absolutePath).min(1).default(['/var/run/calico/bird.ctl', '/var/run/calico/bird6.ctl']),
  }),
  cni: z
    .strictObject({
      image: imageRef.optional(),
      directory: absolutePath.optional(),
      archive: absolutePath.optional(),
      binaries: z.array(binaryName).min(1).default(['calico', 'calico-ipam']),
      sha256: z.record(pluginName, sha256).default({}),
      binDir: absolutePath.default('/opt/cni/bin'),
      configDir: absolutePath.default('/etc/cni/net.d'),
      configFile: fileName.optional(),
      merge: z
        .record(z.string(), z.json())
        .superRefine((merge, context) => {
          refuseRounded(merge, context)
        })
        .optional(),
    })
    .superRefine((cni, context) => {
      const given = CNI_SOURCES.filter((source) => cni[source] !== undefined)
      if (given.length > 1)
        context.addIssue({ code: 'custom', message: `set only one of ${given.join(' and ')}` })
    }),
  kubelet: z.strictObject({
    unit: unitName.default('kubelet.service'),
    restart: z.enum(['auto', 'always', 'never']).default('auto'),
    manifests: absolutePath.optional(),
  }),
  kubernetes: z
    .strictObject({
      kubeconfig: absolutePath.optional(),
      inCluster: z.boolean().default(false),
      node: nodeName.default('auto'),
      cordon: z.boolean().default(true),
    })
    .refine(({ kubeconfig, inCluster }) => kubeconfig === undefined || !inCluster, {
      error: 'set kubeconfig or inCluster: true, not both',
    }),
  hosted: z.strictObject({
    manifest: absolutePath.optional(),
    configMap: z
      .record(configMapKey, z.string().nullable())
      .refine((keys) => Object.keys(keys).length > 0, 'names no key')
      .optional(),
  }),
  fleet: fleetSection,
  docker: z.strictObject({ socket: absolutePath.default('/var/run/docker.sock') }),
  retention: z.strictObject({ runs: count(1).default(20), images: count(1).default(1) }),
  service: z.strictObject({
    socket: absolutePath.default('/run/calico-agent/agent.sock'),
    listen: tcpAddress.optional(),
  }),
}

const configShape = z.strictObject({
  release: releaseName.optional(),
  registry: registryPrefix.default('quay.io'),
  releases: releaseTable.default({}),
  node: sections.node.prefault({}),
  controllers: sections.controllers.prefault({}),
  cni: sections.cni.prefault({}),
  kubelet: sections.kubelet.prefault({}),
  bird: sections.bird.prefault({}),
  window: seconds(10, 3600).default(90),
  settle: seconds(0, 600).default(10),
  docker: sections.docker.prefault({}),
  kubernetes: sections.kubernetes.optional(),
  hosted: sections.hosted.optional(),
  fleet: sections.fleet.optional(),
  retention: sections.retention.prefault({}),
  apply: z.enum(['auto', 'manual']).default('manual'),
  service: sections.service.prefault({}),
})

export const configSchema = configShape
  .refine(
    ({ release, registry, releases }) =>
      release === undefined || releaseImages(release, { registry, releases }) !== null,
    {
      path: ['release'],
      when: whereGood('release', 'releases'),
      error: ({ input }) =>
        `${unknownRelease((input as Config).release ?? '')}; you can add it under releases in the config`,
    },
  )
  .refine(({ controllers, kubernetes }) => controllers.manager !== 'deployment' || kubernetes !== undefined, {
    path: ['controllers', 'manager'],
    when: whereGood('controllers', 'kubernetes'),
    error: 'a Deployment is changed by the API server: name the cluster in kubernetes',
  })
  .refine(({ hosted, kubernetes }) => hosted?.manifest === undefined || kubernetes !== undefined, {
    path: ['hosted', 'manifest'],
    when: whereGood('hosted', 'kubernetes'),
    error: 'a manifest is applied to the API server: name the cluster in kubernetes',
  })
  .refine(({ fleet, kubernetes }) => fleet?.kubernetes === undefined || kubernetes !== undefined, {
    path: ['fleet', 'kubernetes'],
    when: whereGood('fleet', 'kubernetes'),
    error: 'Leases are objects of the API server: name the cluster in kubernetes',
  })
  .superRefine((config, context) => {
    if (config.hosted?.manifest === undefined) return
    for (const [path, value] of namedByManifest(config)) {
      if (value === undefined) continue
      context.addIssue({
        code: 'custom',
        path: [...path],
        message: 'hosted.manifest says this: remove one of the two',
      })
    }
  })
  .refine(({ hosted, kubernetes }) => hosted?.configMap === undefined || kubernetes !== undefined, {
    path: ['hosted', 'configMap'],
    when: whereGood('hosted', 'kubernetes'),
    error: 'a ConfigMap is changed by the API server: name the cluster in kubernetes',
  })
  .refine(({ docker, service }) => samePlace(docker.socket) !== samePlace(service.socket), {
    path: ['service', 'socket'],
    when: whereGood('docker', 'service'),
    error: 'docker.socket has the same path: use another one for the service',
  })

/** What a manifest says, and the config therefore must not. */
function namedByManifest({ release, node, controllers, cni, hosted }: z.output<typeof configShape>) {
  return [
    [['release'], release],
    [['node', 'image'], node.image],
    [['controllers', 'image'], controllers.image],
    [['cni', 'image'], cni.image],
    [['cni', 'directory'], cni.directory],
    [['cni', 'archive'], cni.archive],
    [['hosted', 'configMap'], hosted?.configMap],
  ] as const
}

/** By default, a check of the whole is not reported together with other problems. */
function whereGood(...keys: string[]): (payload: z.core.ParsePayload) => boolean {
  const spares = ({ code, path = [] }: z.core.$ZodRawIssue): boolean =>
    code === 'unrecognized_keys' || ![...keys, undefined].includes(path[0]?.toString())
  return ({ value, issues }) => typeof value === 'object' && issues.every(spares)
}

/** /var/run is a link to /run. */
function samePlace(path: string): string {
  return normalize(path).replace(/^\/var\/run\//, '/run/')
}

/**
 * agent.yaml with its defaults. `window` and `settle` are seconds; the budget is the smallest of 90, BIRD's own
 * restart time and `window`. `node.image` is absent where neither file nor flag names one.
 */
export type Config = z.output<typeof configShape> & {
  /** What `hosted.manifest` says, once its file is read. */
  manifest?: WantedManifest
}

/** The keys that are known below a path, for suggestions. */
export function knownKeys(path: readonly PropertyKey[]): string[] {
  if (path.length === 0) return Object.keys(configShape.shape)
  if (path[0] === 'releases') return Object.keys(releaseEntry.shape)
  const section = String(path[0])
  return Object.hasOwn(sections, section) ? Object.keys(sections[section as keyof typeof sections].shape) : []
}
