import { undecodable } from '../json/go-decode.ts'
import { JsonError, type JsonNode, memberOf, parseJson, placeIn } from '../json/text.ts'
import { CALICO, PLUGIN } from './types.ts'

/** What Go's filepath.Ext and libcni's ConfFiles let through: hidden files too, if they end so. */
export const LIVE_ENDING = /\.(conf|conflist|json)$/

/** A file with a live extension, as it is in the directory. */
export interface ConfigFile {
  name: string
  isLink: boolean
  content: { text: string } | { unreadable: string }
}

/** A file that the kubelet uses, and the plugins that it runs, in order. */
export interface ValidConfig {
  name: string
  isLink: boolean
  text: string
  root: JsonNode
  plugins: JsonNode[]
}

export type JudgedConfig = ValidConfig | { name: string; isLink: boolean; invalid: string }

export function pathIn(directory: string, name: string): string {
  return `${directory.replace(/\/+$/, '')}/${name}`
}

/** In the order in which the kubelet looks at them: by the bytes of their names, which is that of their code points. */
export function inKubeletOrder<T extends { name: string }>(files: T[]): T[] {
  return files.toSorted((a, b) => compareCodePoints(a.name, b.name))
}

function compareCodePoints(a: string, b: string): number {
  for (let i = 0; i < Math.min(a.length, b.length); i++) {
    const difference = (a.codePointAt(i) ?? 0) - (b.codePointAt(i) ?? 0)
    if (difference !== 0) return difference
  }
  return a.length - b.length
}

/**
 * Whether the kubelet uses the file, by the rules of its dockershim (pkg/kubelet/dockershim/network/cni/cni.go,
 * getDefaultCNINetwork) and libcni (libcni/conf.go). Whether a plugin's binary exists is another question.
 */
export function judgeConfig({ name, isLink, content }: ConfigFile): JudgedConfig {
  if ('unreadable' in content) return { name, isLink, invalid: content.unreadable }
  try {
    const root = parseJson(content.text)
    const plugins = name.endsWith('.conflist') ? pluginsOfList(root) : [root]
    for (const plugin of plugins) requireType(plugin)
    return { name, isLink, text: content.text, root, plugins }
  } catch (error) {
    if (!(error instanceof JsonError)) throw error
    return { name, isLink, invalid: error.message }
  }
}

export function isValid(config: JudgedConfig): config is ValidConfig {
  return 'root' in config
}

/** The entries of calico/cni itself. */
export function calicoPlugins({ plugins }: ValidConfig): JsonNode[] {
  return plugins.filter((plugin) => textOf(plugin, 'type') === 'calico')
}

/** What Calico's own plugins cannot decode of it; null if they can. The kubelet uses the file anyway. */
export function calicoUndecodable(config: ValidConfig): string | null {
  return firstOf(calicoPlugins(config), (plugin) => undecodable(plugin, CALICO))
}

/** Whether another plugin, such as Multus, has calico's among its delegates. */
export function delegatesToCalico({ plugins }: ValidConfig): boolean {
  return plugins.some((plugin) =>
    itemsOf(plugin, 'delegates').some((delegate) =>
      [delegate, ...itemsOf(delegate, 'plugins')].some((one) => textOf(one, 'type') === 'calico'),
    ),
  )
}

function itemsOf(node: JsonNode, key: string): JsonNode[] {
  const value = memberOf(node, key)?.value
  return value?.kind === 'array' ? value.items : []
}

/** The binaries that the kubelet needs for it. */
export function pluginNames({ plugins }: ValidConfig): string[] {
  const names = plugins.flatMap((plugin) => [
    textOf(plugin, 'type'),
    textOf(memberOf(plugin, 'ipam')?.value, 'type'),
  ])
  return [...new Set(names.filter((name) => name !== undefined && name !== ''))] as string[]
}

/** The member as text; undefined where it is something else. */
export function textOf(node: JsonNode | undefined, key: string): string | undefined {
  const value = memberOf(node, key)?.value
  return value?.kind === 'scalar' && typeof value.value === 'string' ? value.value : undefined
}

/** Position of the first name that its object already has; null if all are unique. */
export function doubleName(text: string, node: JsonNode): string | null {
  if (node.kind === 'scalar') return null
  if (node.kind === 'array') return firstOf(node.items, (item) => doubleName(text, item))
  const seen = new Set<string>()
  return firstOf(node.members, ({ key, keyStart, value }) => {
    if (seen.has(key)) return `${placeIn(text, keyStart)}: the key ${JSON.stringify(key)} is there twice`
    seen.add(key)
    return doubleName(text, value)
  })
}

function pluginsOfList(root: JsonNode): JsonNode[] {
  if (textOf(root, 'name') === undefined) throw new JsonError('a conflist needs a "name"')
  requireListTypes(root)
  const plugins = memberOf(root, 'plugins')?.value
  if (plugins?.kind !== 'array' || plugins.items.length === 0)
    throw new JsonError('a conflist needs "plugins", a list with at least one plugin')
  return plugins.items
}

/** libcni reads these fields of the list by hand: a null is not a string. */
function requireListTypes(root: JsonNode): void {
  const version = memberOf(root, 'cniVersion')?.value
  if (version !== undefined && textOf(root, 'cniVersion') === undefined)
    throw new JsonError('"cniVersion" must be a string')
  const check = memberOf(root, 'disableCheck')?.value
  if (check === undefined) return
  const isBool =
    check.kind === 'scalar' &&
    (typeof check.value === 'boolean' || /^(true|false)$/i.test(String(check.value)))
  if (!isBool) throw new JsonError('"disableCheck" must be true or false')
}

function requireType(plugin: JsonNode): void {
  if (plugin.kind !== 'object') throw new JsonError('it is not a JSON object')
  const problem = undecodable(plugin, PLUGIN)
  if (problem !== null) throw new JsonError(problem)
  if ((textOf(plugin, 'type') ?? '') !== '') return
  const isList = memberOf(plugin, 'plugins') !== undefined
  throw new JsonError(
    isList ? 'it has no "type"; a list of plugins must end in .conflist' : 'it has no "type"',
  )
}

function firstOf<T, R>(list: T[], found: (one: T) => R | null): R | null {
  for (const one of list) {
    const result = found(one)
    if (result !== null) return result
  }
  return null
}
