import { CONTROLLERS, DIRECTORY, NODE } from './host.ts'
import { type Row, RUN, text, UNIT, unit } from './row.ts'

const CHANGED = '`ExecStart=docker run`'
/** Units that are changed. */
export const changed: Record<string, Row> = {
  'docker run in one line': { row: CHANGED, ...unit(`ExecStart=${RUN} ${NODE}`), changed: UNIT },
  'over several lines, with a comment between': {
    row: CHANGED,
    ...unit('ExecStart=/usr/bin/docker run \\', '  # ours', '  --name=calico-node \\', `  ${NODE}`),
    changed: UNIT,
  },
  'by env': {
    row: CHANGED,
    ...unit(`ExecStart=/usr/bin/env docker run --name=calico-node ${NODE}`),
    changed: UNIT,
  },
  'by env with a variable': {
    row: CHANGED,
    ...unit(`ExecStart=/usr/bin/env DOCKER_HOST=unix:///run/d.sock docker run --name=calico-node ${NODE}`),
    changed: UNIT,
  },
  'by bash -c': {
    row: CHANGED,
    ...unit(`ExecStart=/bin/bash -c 'docker run --name=calico-node ${NODE}'`),
    changed: UNIT,
  },
  'by bash -c with exec and a login shell': {
    row: CHANGED,
    ...unit(`ExecStart=/bin/bash -lc "exec docker run --name=calico-node '${NODE}'"`),
    changed: UNIT,
  },
  'with an argv[0] of its own': {
    row: CHANGED,
    ...unit(`ExecStart=@/usr/bin/docker docker run --name=calico-node ${NODE}`),
    changed: UNIT,
  },
  'with --cidfile': {
    row: CHANGED,
    ...unit(
      'ExecStartPre=-/bin/rm -f /run/calico.cid',
      `ExecStart=/usr/bin/docker run --cidfile=/run/calico.cid --name=calico-node ${NODE}`,
    ),
    changed: UNIT,
  },
  'a container beside it, and both taken away before': {
    row: CHANGED,
    ...unit(
      'ExecStartPre=-/usr/bin/docker rm -f beside',
      'ExecStartPre=/usr/bin/docker rm -f calico-node',
      "ExecStartPre=/bin/sh -c 'docker kill calico-node || true'",
      'ExecStartPre=/usr/bin/docker run -d --name=beside example.com/beside:1',
      `ExecStart=${RUN} ${NODE}`,
    ),
    changed: UNIT,
  },
  'docker container run': {
    row: CHANGED,
    ...unit(`ExecStart=/usr/bin/docker container run --name calico-node ${NODE}`),
    changed: UNIT,
  },
  'in an environment file': {
    row: CHANGED,
    files: {
      [UNIT]: text('EnvironmentFile=/etc/calico/calico.env', `ExecStart=${RUN} \${CALICO_NODE_IMAGE}`),
      '/etc/calico/calico.env': `CALICO_NODE_IMAGE=${NODE}\n`,
    },
    changed: '/etc/calico/calico.env',
  },
  'in a file of a pattern': {
    row: CHANGED,
    files: {
      [UNIT]: text('EnvironmentFile=-/etc/calico/*.env', `ExecStart=${RUN} \${CALICO_NODE_IMAGE}`),
      '/etc/calico/10-a.env': 'A=1\n',
      '/etc/calico/20-b.env': `CALICO_NODE_IMAGE=${NODE}\n`,
    },
    changed: '/etc/calico/20-b.env',
  },
  'in a file that another unit reads for something else': {
    row: CHANGED,
    files: {
      [UNIT]: text('EnvironmentFile=/etc/calico/calico.env', `ExecStart=${RUN} quay.io/calico/node:\${TAG}`),
      [`${DIRECTORY}/felix-exporter.service`]: text(
        'EnvironmentFile=/etc/calico/calico.env',
        'ExecStart=/usr/bin/exporter --at ${IP} --env=${TAG}',
      ),
      '/etc/calico/calico.env': 'IP=192.0.2.1\nTAG=v2.6.5\n',
    },
    changed: '/etc/calico/calico.env',
  },
  'in a drop-in': {
    row: CHANGED,
    files: {
      [UNIT]: text('Environment=IMAGE=calico/node:none', `ExecStart=${RUN} $IMAGE`),
      [`${UNIT}.d/10-image.conf`]: `[Service]\nEnvironment=IMAGE=${NODE}\n`,
    },
    changed: `${UNIT}.d/10-image.conf`,
  },
  'of a template': {
    row: CHANGED,
    files: { [`${DIRECTORY}/calico@.service`]: text(`ExecStart=/usr/bin/docker run --name=%p-%i ${NODE}`) },
    states: { 'calico@node.service': {} },
    changed: `${DIRECTORY}/calico@node.service.d/zz-calico-agent.conf`,
  },
  'of a package': {
    row: CHANGED,
    files: { '/usr/lib/systemd/system/calico-node.service': text(`ExecStart=${RUN} ${NODE}`) },
    changed: `${UNIT}.d/zz-calico-agent.conf`,
  },
  'detached, and the unit remains': {
    row: 'the same with `-d` and `RemainAfterExit=yes`',
    ...unit('Type=oneshot', 'RemainAfterExit=yes', `ExecStart=${RUN} -d ${NODE}`),
    changed: UNIT,
  },
  'controllers in one line': {
    row: CHANGED,
    of: 'controllers',
    files: {
      [`${DIRECTORY}/policy.service`]: text(
        `ExecStart=/usr/bin/docker run --name=calico-kube-controllers ${CONTROLLERS}`,
      ),
    },
    changed: `${DIRECTORY}/policy.service`,
  },
}

const LOOKS = 'only `logs -f`, `exec`, `inspect`, `pull`, `stop`, `restart`'
const NOTHING = 'nothing of these'
/** What keeps nothing. */
export const left: Record<string, Row> = {
  'its log shipped': { row: LOOKS, ...unit('ExecStart=/usr/bin/docker logs -f calico-node'), changed: null },
  'restarted when it is ill': {
    row: LOOKS,
    ...unit("ExecStart=/bin/sh -c 'docker exec calico-node true || docker restart calico-node'"),
    changed: null,
  },
  'a tool out of its image': {
    row: LOOKS,
    ...unit(`ExecStart=/usr/bin/docker run --rm ${NODE} calico-node -v`),
    changed: null,
  },
  'calicoctl that looks': { row: LOOKS, ...unit('ExecStart=/opt/bin/calicoctl node status'), changed: null },
  'one that was stopped': {
    row: NOTHING,
    ...unit(`ExecStart=${RUN} ${NODE}`),
    states: { 'calico-node.service': { active: 'inactive', fileState: 'disabled' } },
    changed: null,
  },
  'made by docker-compose, by hand': {
    row: NOTHING,
    files: {},
    labels: {
      'com.docker.compose.project': 'net',
      'com.docker.compose.service': 'node',
      'com.docker.compose.project.config_files': '/srv/net/docker-compose.yml',
    },
    changed: null,
    warned: 'recreates it from the image that /srv/net/docker-compose.yml names',
  },
}
