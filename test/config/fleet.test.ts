import { describe, expect, it } from 'vitest'
import { mergeFlags } from '../../agent/config/load.ts'
import { parse, problemsOf } from './parsing.ts'

const ETCD = 'etcd: { endpoints: ["https://192.0.2.1:2379"] }'

describe('the fleet section', () => {
  it('is absent unless it is written', () => {
    expect(parse('window: 60').fleet).toBeUndefined()
  })

  it('has a group where none is named', () => {
    expect(parse(`fleet: { ${ETCD} }`).fleet).toEqual({
      group: 'default',
      etcd: { endpoints: ['https://192.0.2.1:2379'] },
    })
    expect(parse('kubernetes: {}\nfleet: { kubernetes: {} }').fleet?.kubernetes).toEqual({
      namespace: 'calico-agent',
    })
  })

  it('has its windows on each day and in UTC where nothing else is said, also with the flags over it', () => {
    const config = parse(`fleet: { ${ETCD}, windows: [{ start: "02:00", length: 90m }] }`)
    const days = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat']
    const windows = [{ days, start: '02:00', length: '90m', zone: 'UTC' }]
    expect(config.fleet?.windows).toEqual(windows)
    expect(mergeFlags(config, {}).fleet?.windows).toEqual(windows)
  })

  it.each([
    ['{ group: default }', 'fleet: name where the hosts meet: one of etcd, kubernetes, fleetlock'],
    [`{ ${ETCD}, fleetlock: { url: "http://a" } }`, 'fleet: set only one of etcd and fleetlock'],
    [`{ ${ETCD}, group: Rack_7 }`, 'fleet.group: must be a name of lower-case letters, digits and "-"'],
    [`{ ${ETCD}, slots: 0 }`, 'fleet.slots'],
    ['{ etcd: { endpoints: [192.0.2.1:2379] } }', 'fleet.etcd.endpoints[0]: must be a URL such as https://'],
    ['{ etcd: { endpoints: ["https://a/v3"] } }', 'must be a URL without a path'],
    ['{ etcd: { endpoints: ["https://u:p@a"] } }', 'without a user'],
    ['{ etcd: { endpoints: [] } }', 'fleet.etcd.endpoints'],
    ['{ etcd: { endpoints: ["https://a"], cert: /c } }', 'fleet.etcd: set both cert and key, or none'],
    [
      '{ etcd: { endpoints: ["https://a"], user: u } }',
      'fleet.etcd: set both user and passwordFile, or none',
    ],
    [
      '{ fleetlock: { url: "http://a" }, slots: 2 }',
      'fleet.slots: the FleetLock server has the number of slots',
    ],
    [
      '{ fleetlock: { url: "http://a" }, stopAfter: 2 }',
      'fleet.stopAfter: a FleetLock server keeps no count',
    ],
    ['{ kubernetes: {} }', 'fleet.kubernetes: Leases are objects of the API server'],
    [`{ ${ETCD}, windows: [{ start: 2:00, length: 3h }] }`, 'fleet.windows[0].start: must be a time of day'],
    [
      `{ ${ETCD}, windows: [{ start: "02:00", length: 8d }] }`,
      'fleet.windows[0].length: must be a time from 1m to 7d',
    ],
    [`{ ${ETCD}, windows: [{ start: "02:00", length: 3h, zone: Mars }] }`, 'must be a time zone'],
    [`{ ${ETCD}, windows: [{ start: "02:00", length: 3h, days: [monday] }] }`, 'fleet.windows[0].days[0]'],
    [
      `{ ${ETCD}, blockOn: { prometheus: "http://a", alerts: "(" } }`,
      'fleet.blockOn.alerts: must be a regular',
    ],
    [`{ ${ETCD}, stopafter: 2 }`, 'stopAfter'],
  ])('is not %s', (text, problem) => {
    expect(problemsOf(`fleet: ${text}`).join('\n')).toContain(problem)
  })
})
