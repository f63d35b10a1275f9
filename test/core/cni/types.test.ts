import { describe, expect, it } from 'vitest'
import { isValid, judgeConfig } from '../../../agent/core/cni/config.ts'
import { configChange, findConfig } from '../../../agent/core/cni/config-change.ts'
import type { Json } from '../../../agent/core/json/merge-patch.ts'

const configDir = '/etc/cni/net.d'
const CONF = { name: 'calico', cniVersion: '0.3.1', type: 'calico', ipam: { type: 'calico-ipam' } }
const LIST = { name: 'calico', cniVersion: '0.3.1', plugins: [CONF, { type: 'portmap' }] }

const file = (name: string, content: Json) => {
  return { name, isLink: false, content: { text: JSON.stringify(content) } }
}

/** What comes of the merge: the new content, or the code and the reason. */
function merged(name: string, content: Json, merge: { [key: string]: Json }): unknown {
  const { calico, problems } = findConfig([file(name, content)], { configDir, configFile: null })
  if (calico === null) return problems.map(({ code, message }) => `${code}: ${message}`)
  const change = configChange(calico, { configDir, merge })
  return 'code' in change ? `${change.code}: ${change.message}` : (JSON.parse(change.after) as unknown)
}

/** By libcni and by Calico's plugin, as they declare their fields in Go. */
const UNDECODABLE: [{ [key: string]: Json }, string][] = [
  [{ mtu: '1440' }, '"mtu" must be an integer, but it is a string'],
  [{ mtu: 1440.5 }, '"mtu" must be an integer, but it is a number with a point or an exponent'],
  [{ MTU: '1440' }, '"MTU" must be an integer, but it is a string'],
  [{ ipam: { assign_ipv4: true } }, '"ipam.assign_ipv4" must be a string, but it is a boolean'],
  [{ ipam: { ipv4_pools: '198.51.100.0/24' } }, '"ipam.ipv4_pools" must be a list, but it is a string'],
  [{ ipam: { ipv4_pools: [4] } }, '"ipam.ipv4_pools[0]" must be a string, but it is a number'],
  [{ ipam: 'host-local' }, '"ipam" must be an object, but it is a string'],
  [{ cniVersion: 0.4 }, '"cniVersion" must be a string'],
  [{ etcd_endpoints: ['http://192.0.2.10:2379'] }, '"etcd_endpoints" must be a string, but it is a list'],
  [
    { capabilities: { portMappings: 'true' } },
    '"capabilities.portMappings" must be true or false, but it is a string',
  ],
  [{ dns: { nameservers: '192.0.2.53' } }, '"dns.nameservers" must be a list, but it is a string'],
  [{ nodename_file_optional: 'true' }, '"nodename_file_optional" must be true or false, but it is a string'],
  [{ log_file_max_size: '100' }, '"log_file_max_size" must be an integer, but it is a string'],
  [{ policy: { k8s_auth_token: 7 } }, '"policy.k8s_auth_token" must be a string, but it is a number'],
  [{ kubernetes: [] }, '"kubernetes" must be an object, but it is a list'],
  [{ vxlan_vni: -1 }, '"vxlan_vni" must be an integer of 0 or more, but it is a number'],
]

describe('a merge of what Go cannot decode', () => {
  it.each(UNDECODABLE)('%j is refused, in a .conf and in a .conflist', (merge, why) => {
    for (const [name, content] of [
      ['10-calico.conf', CONF],
      ['10-calico.conflist', LIST],
    ] as const) {
      const result = merged(name, content, merge)
      expect(result).toContain('cni-merge-invalid: cannot merge cni.merge')
      expect(result).toContain(why)
    }
  })

  it('is refused where the name is no string', () => {
    expect(merged('10-calico.conf', CONF, { name: 5 })).toContain(
      '"name" must be a string, but it is a number',
    )
    expect(merged('10-calico.conflist', LIST, { name: 5 })).toContain('a conflist needs a "name"')
  })

  it.each<[{ [key: string]: Json }]>([
    [{ mtu: 1440, ipam: { assign_ipv4: 'true' }, capabilities: { portMappings: true } }],
    [{ x_vendor: { any: [1, 'x'] }, ipam: { ranges: [[{ subnet: '198.51.100.0/24' }]] } }],
  ])('is not what %j is', (merge) => {
    expect(merged('10-calico.conf', CONF, merge)).toMatchObject(merge)
  })
})

describe('a file that Go cannot decode', () => {
  it.each<[string, Json]>([
    ['05-other.conf', { type: 'bridge', cniVersion: 0.3 }],
    ['05-other.conf', { type: 'bridge', name: 5 }],
    ['05-other.conf', { type: 'bridge', ipam: 'host-local' }],
    ['05-other.conflist', { name: 'x', cniVersion: 0.3, plugins: [{ type: 'bridge' }] }],
    ['05-other.conflist', { name: 'x', cniVersion: null, plugins: [{ type: 'bridge' }] }],
    ['05-other.conflist', { name: 'x', disableCheck: 1, plugins: [{ type: 'bridge' }] }],
    [
      '05-other.conflist',
      { name: 'x', plugins: [{ type: 'portmap', capabilities: { portMappings: 'true' } }] },
    ],
  ])('%s with %j is stepped over, and shadows nothing', (name, content) => {
    expect(isValid(judgeConfig(file(name, content)))).toBe(false)
    const files = [file(name, content), file('10-calico.conf', CONF)]
    const { live, problems } = findConfig(files, { configDir, configFile: null })
    expect(live?.name).toBe('10-calico.conf')
    expect(problems).toMatchObject([{ code: 'cni-config-invalid', severity: 'warning' }])
  })

  it.each<[string, Json]>([
    ['05-other.conf', { type: 'bridge', cniVersion: null, mtu: '1440' }],
    ['05-other.conflist', { name: 'x', disableCheck: 'True', plugins: [{ type: 'bridge' }] }],
  ])('is not %s with %j', (name, content) => {
    expect(isValid(judgeConfig(file(name, content)))).toBe(true)
  })

  it('of Calico is refused as it is, and mended by a merge', () => {
    const broken = { ...CONF, mtu: '1500' }
    expect(merged('10-calico.conf', broken, { log_level: 'info' })).toMatch(/^cni-config-invalid: .*"mtu"/)
    expect(merged('10-calico.conf', broken, { mtu: 1440 })).toMatchObject({ mtu: 1440 })
    expect(merged('10-calico.conf', { ...CONF, cniVersion: 0.3 }, {})).toEqual([
      'cni-config-invalid: cannot use /etc/cni/net.d/10-calico.conf as a CNI config: "cniVersion" must be a string, but it is a number',
    ])
  })
})

describe('a field of a list', () => {
  it('is merged into the list, the others into the calico plugin', () => {
    const merge = { cniVersion: '0.4.0', name: 'k8s-pod-network', disableCheck: true, mtu: 1440 }
    const after = merged('10-calico.conflist', LIST, merge)
    const { mtu, ...ofList } = merge
    expect(after).toEqual({ ...ofList, plugins: [{ ...CONF, mtu }, { type: 'portmap' }] })
  })

  it('is no change where the list says so already', () => {
    expect(merged('10-calico.conflist', LIST, { cniVersion: '0.3.1' })).toEqual(LIST)
  })

  it.each<[string, Json, { [key: string]: Json }, string]>([
    ['10-calico.conf', CONF, { disableCheck: true }, '"disableCheck" has no effect outside a .conflist'],
    ['10-calico.conf', CONF, { plugins: [] }, '"plugins" is the list around it'],
    ['10-calico.conflist', LIST, { plugins: [] }, '"plugins" is the list around it'],
  ])('in %s with %j is refused for %j', (name, content, merge, why) => {
    expect(merged(name, content, merge)).toContain(`cni-merge-invalid: `)
    expect(merged(name, content, merge)).toContain(why)
  })
})

describe("Calico's plugin among the delegates of another one", () => {
  it.each<[string, Json]>([
    ['00-multus.conf', { name: 'multus', type: 'multus', delegates: [CONF] }],
    ['00-multus.conf', { name: 'multus', type: 'multus', delegates: [LIST] }],
    [
      '00-multus.conflist',
      { name: 'm', plugins: [{ type: 'multus', delegates: [{ type: 'flannel' }, CONF] }] },
    ],
  ])('is said to be in there: %s with %j', (name, content) => {
    expect(merged(name, content, { mtu: 1440 })).toEqual([
      `cni-config-missing: cannot change Calico's CNI config: it is under "delegates" in ${configDir}/${name}, which cni.merge does not change`,
    ])
  })
})
