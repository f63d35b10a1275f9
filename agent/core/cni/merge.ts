import { mergeIntoText } from '../json/edit.ts'
import type { Json } from '../json/merge-patch.ts'
import { parseJson } from '../json/text.ts'
import { calicoPlugins, type ValidConfig } from './config.ts'
import { LIST_FIELDS } from './types.ts'

type Patch = { [key: string]: Json }

/** In a `.conf`, they have the same meaning as in a list. */
const OF_BOTH = ['cniVersion', 'name']

/** Why a field of the patch would have no effect in this config; null where each has one. */
export function withoutEffect({ name }: Pick<ValidConfig, 'name'>, merge: Patch): string | null {
  const set = Object.keys(merge).filter((key) => merge[key] !== null)
  if (set.includes('plugins')) return '"plugins" is the list around it, and only the calico plugin is changed'
  if (isList(name)) return null
  const stray = set.find((key) => LIST_FIELDS.includes(key) && !OF_BOTH.includes(key))
  return stray === undefined ? null : `"${stray}" has no effect outside a .conflist`
}

/** The text after the patch: in a conflist, the list's own fields apply to the list, all others to its calico plugin. */
export function mergeInto(config: ValidConfig, merge: Patch): string {
  const { text, root } = config
  const [target = root] = calicoPlugins(config)
  if (!isList(config.name)) return mergeIntoText(text, root, target, merge)
  const fields = Object.entries(merge)
  const ofList = fields.filter(([key]) => LIST_FIELDS.includes(key) && key !== 'plugins')
  const ofPlugin = fields.filter(([key]) => !LIST_FIELDS.includes(key))
  const merged = mergeIntoText(text, root, target, Object.fromEntries(ofPlugin))
  const next = parseJson(merged)
  return mergeIntoText(merged, next, next, Object.fromEntries(ofList))
}

function isList(name: string): boolean {
  return name.endsWith('.conflist')
}
