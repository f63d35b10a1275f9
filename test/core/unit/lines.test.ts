import { describe, expect, it } from 'vitest'
import { linesThatWrite } from '../../../agent/core/unit/plugin-lines.ts'
import { slowLines } from '../../../agent/core/unit/slow-lines.ts'
import { unitOf } from './units.ts'

const unit = (line: string, env?: string) => unitOf(`[Service]\n${line}\n`, env === undefined ? {} : { env })

describe('a line that may write to the directory of CNI plugins', () => {
  it.each([
    'ExecStartPre=/bin/cp /opt/calico/v2/calico /opt/cni/bin/calico',
    'ExecStartPre=/usr/bin/install -m 755 /opt/a /opt/cni/bin/',
    'ExecStartPre=/bin/tar -C /opt/cni/bin -xzf /opt/cni.tgz',
    'ExecStartPre=/bin/tar -xzf /opt/cni.tgz --directory=/opt/cni/bin',
    'ExecStartPre=/bin/tar -C /opt/cni -xzf /opt/cni.tgz',
    'ExecStartPre=/usr/bin/curl -o /opt/cni/bin/calico http://192.0.2.9/calico',
    'ExecStartPre=/usr/bin/docker cp tmp:/opt/cni/bin/calico /opt/cni/bin/calico',
    'ExecStartPre=/usr/bin/docker run --rm -v /opt/cni/bin:/host calico/cni:v1.11.2',
    "ExecStartPre=/bin/sh -c 'cd /opt/cni/bin && curl -O http://192.0.2.9/calico'",
    'ExecStartPre=/bin/cp /opt/a ${DIR}/calico',
  ])('%s', (line) => {
    expect(linesThatWrite(unit(line, 'DIR=/opt/cni/bin\n'), '/opt/cni/bin')).toEqual([line])
  })

  it.each([
    'ExecStart=/usr/bin/kubelet --network-plugin=cni --cni-bin-dir=/opt/cni/bin',
    'ExecStart=/usr/bin/docker run -v /opt/cni/bin:/opt/cni/bin hyperkube:v1.9 kubelet --cni-bin-dir=/opt/cni/bin',
    'ExecStart=/usr/bin/docker run -v /opt/cni/bin:/opt/cni/bin:ro calico/node:v2.6.5',
    'ExecStartPre=/usr/bin/test -x /opt/cni/bin/calico',
    'ExecStartPre=/bin/cp /opt/a /opt/cni/bin.old/calico',
    'ExecStartPre=/bin/mkdir -p /opt',
  ])('is not: %s', (line) => {
    expect(linesThatWrite(unit(line), '/opt/cni/bin')).toEqual([])
  })

  it('may stand in a script', () => {
    const script = { path: '/opt/pre.sh', text: '#!/bin/sh\ncp /opt/a /opt/cni/bin/calico\n' }
    const source = { ...unit('ExecStartPre=/opt/pre.sh'), scripts: [script] }
    expect(linesThatWrite(source, '/opt/cni/bin')).toEqual(['/opt/pre.sh: cp /opt/a /opt/cni/bin/calico'])
  })
})

describe('a start', () => {
  const run = '/usr/bin/docker run --name=calico-node calico/node:v2.6.5'

  it.each([
    `ExecStart=/bin/sh -c 'docker pull $IMAGE; exec ${run}'`,
    `ExecStart=/bin/sh -c 'until curl -s http://192.0.2.9:2379/health; do sleep 1; done; ${run}'`,
    `ExecStart=/bin/sh -c 'timeout 60 ctr image pull a; ${run}'`,
    'ExecStart=/usr/bin/docker run --pull=always --name=calico-node calico/node:v2.6.5',
  ])('is slow: %s', (line) => {
    expect(slowLines(unit(line))).toEqual([line])
  })

  it.each([
    `ExecStartPre=/usr/bin/docker pull a\nExecStart=${run}`,
    `ExecStart=/bin/sh -c 'docker rm -f calico-node; exec ${run} sh -c "sleep 9"'`,
  ])('is not: %s', (line) => {
    expect(slowLines(unit(line))).toEqual([])
  })
})
