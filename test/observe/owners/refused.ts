import { CONTROLLERS, DIRECTORY, NODE } from './host.ts'
import { over, type Row, RUN, text, UNIT, unit } from './row.ts'

const CIDFILE = 'a `--cidfile`'
const BESIDE = 'a container beside it'
const WITHOUT = '`docker rm`, `stop` or `kill`'
const DETACHED = 'the same with `-d` alone'
const BEFORE = '`docker run` or `docker create` in `ExecStartPre=`'
const CALICOCTL = '`calicoctl node`, `calicoctl node run`'
const COMPOSE = '`docker-compose up`, `docker compose up`'
const ENGINES = '`systemd-docker`, podman, nerdctl, rkt'
const SCRIPT = 'a script that does one of these'
const DOWN = 'one of these, enabled but not up'
const STARTED = '`docker start`'
const SHARED = 'one variable for the image and for another image'
const ELSEWHERE = 'a second unit, cron'

/** One line by which a unit keeps it; the line is what is quoted. */
const line = (row: string, quoted: string, ...further: string[]): Row => ({
  row,
  ...unit(quoted, ...further),
  refused: quoted,
})

/** What keeps the container and is not changed. */
export const refused: Record<string, Row> = {
  'detached, and the unit ends': {
    row: DETACHED,
    ...unit('Type=forking', `ExecStart=${RUN} -d ${NODE}`),
    refused: 'its docker run -d leaves the container running',
  },
  'a --cidfile that only its ExecStop= takes away': {
    row: CIDFILE,
    ...unit(
      `ExecStart=/usr/bin/docker run --cidfile /run/calico.cid --name=calico-node ${NODE}`,
      'ExecStop=/bin/rm -f /run/calico.cid',
    ),
    refused: 'its docker run does not start while /run/calico.cid exists',
  },
  'a container beside it that only its ExecStop= takes away': {
    row: BESIDE,
    ...unit(
      'ExecStartPre=/usr/bin/docker run -d --name=beside example.com/beside:1',
      `ExecStart=${RUN} ${NODE}`,
      'ExecStop=-/usr/bin/docker rm -f beside calico-node',
    ),
    refused: 'its start also creates beside',
  },
  'a start that fails without the container': {
    row: WITHOUT,
    ...unit('ExecStartPre=/usr/bin/docker rm calico-node', `ExecStart=${RUN} ${NODE}`),
    refused: 'its ExecStartPre=/usr/bin/docker rm calico-node fails if calico-node does not exist',
  },
  'made before, and waited for': line(
    BEFORE,
    `ExecStartPre=/usr/bin/docker run -d --name=calico-node ${NODE}`,
    'ExecStart=/usr/bin/docker wait calico-node',
  ),
  'created before, and attached to': line(
    BEFORE,
    `ExecStartPre=-/usr/bin/docker create --name=calico-node ${NODE}`,
    'ExecStartPre=/usr/bin/docker start calico-node',
    'ExecStart=/usr/bin/docker attach calico-node',
  ),
  'made before, and its log followed': line(
    BEFORE,
    `ExecStartPre=/usr/bin/docker run -d --name=calico-node ${NODE}`,
    'ExecStart=/usr/bin/docker logs -f calico-node',
  ),
  'attached to alone': line(BEFORE, 'ExecStart=/usr/bin/docker attach calico-node'),
  'calicoctl that waits': line(
    CALICOCTL,
    `ExecStart=/opt/bin/calicoctl node --ip=192.0.2.1 --detach=false --node-image=${NODE}`,
    'Restart=always',
  ),
  'calicoctl in a oneshot that remains': line(
    CALICOCTL,
    `ExecStart=/opt/bin/calicoctl node run --node-image=${NODE}`,
    'Type=oneshot',
    'RemainAfterExit=yes',
  ),
  'calicoctl with options before': line(
    CALICOCTL,
    'ExecStart=/opt/bin/calicoctl --log-level=info node run --node-image=x/y:1',
  ),
  'calicoctl by env': line(
    CALICOCTL,
    'ExecStart=/usr/bin/env ETCD_ENDPOINTS=http://192.0.2.9 calicoctl node run',
  ),
  'calicoctl out of a container': line(
    CALICOCTL,
    'ExecStart=/usr/bin/docker run --rm -v /var/run/docker.sock:/var/run/docker.sock calico/ctl:v1.6.3 node run',
  ),
  'calicoctl in a oneshot that is over': {
    row: DOWN,
    ...unit('Type=oneshot', `ExecStart=/opt/bin/calicoctl node run --node-image=${NODE}`),
    states: over,
    refused: `it is not active, but starts calico-node at the next boot: ExecStart=/opt/bin/calicoctl node run`,
  },
  'docker run -d in a oneshot that is over': {
    row: DOWN,
    ...unit('Type=oneshot', `ExecStart=${RUN} -d --restart=always ${NODE}`),
    states: over,
    refused: `it is not active, but starts calico-node at the next boot: ExecStart=/usr/bin/docker run`,
  },
  'one that a timer starts': {
    row: DOWN,
    ...unit(`ExecStart=${RUN} -d ${NODE}`),
    states: {
      'calico-node.service': { active: 'inactive', fileState: 'static', startedBy: ['calico.timer'] },
    },
    refused: 'it is not active, but starts calico-node',
  },
  'docker-compose': {
    row: COMPOSE,
    files: {
      [`${DIRECTORY}/net.service`]: text('ExecStart=/usr/local/bin/docker-compose -f /srv/net.yml up'),
      '/srv/net.yml': `services:\n  node:\n    image: ${NODE}\n`,
    },
    refused: 'ExecStart=/usr/local/bin/docker-compose -f /srv/net.yml up',
  },
  'docker compose in a directory': {
    row: COMPOSE,
    files: {
      [`${DIRECTORY}/net.service`]: text('WorkingDirectory=/srv/net', 'ExecStart=/usr/bin/docker compose up'),
      '/srv/net/docker-compose.yml': `services:\n  node:\n    image: ${NODE}\n`,
    },
    refused: 'ExecStart=/usr/bin/docker compose up',
  },
  'docker-compose in the directory that the labels name': {
    row: COMPOSE,
    files: {
      [`${DIRECTORY}/net.service`]: text('ExecStart=/bin/sh -c "cd /srv/net && exec docker-compose up"'),
    },
    labels: {
      'com.docker.compose.project': 'net',
      'com.docker.compose.service': 'node',
      'com.docker.compose.project.working_dir': '/srv/net',
      'com.docker.compose.project.config_files': 'docker-compose.yml',
    },
    refused: 'ExecStart=/bin/sh -c "cd /srv/net && exec docker-compose up"',
  },
  'systemd-docker': line(ENGINES, `ExecStart=/opt/bin/systemd-docker run --rm --name calico-node ${NODE}`),
  'systemd-docker with options of its own': line(
    ENGINES,
    `ExecStart=/opt/bin/systemd-docker --cgroups name=systemd run --rm --name %N ${NODE}`,
  ),
  podman: {
    row: ENGINES,
    ...unit(`ExecStart=/usr/bin/podman run --name calico-node ${NODE}`),
    refused: 'it runs podman, and the agent supports only Docker: ExecStart=/usr/bin/podman run',
  },
  nerdctl: line(ENGINES, `ExecStart=/usr/local/bin/nerdctl -n k8s.io run --name calico-node ${NODE}`),
  rkt: line(ENGINES, `ExecStart=/usr/bin/rkt run --net=host docker://${NODE}`),
  'a script': {
    row: SCRIPT,
    files: {
      [`${DIRECTORY}/net.service`]: text('ExecStart=/opt/bin/net start'),
      '/opt/bin/net': `#!/bin/sh\nset -e\ndocker rm -f calico-node\nexec docker run --name=calico-node \\\n  ${NODE}\n`,
    },
    refused: '/opt/bin/net: exec docker run --name=calico-node',
  },
  'a script of a script': {
    row: SCRIPT,
    files: {
      [`${DIRECTORY}/net.service`]: text('ExecStart=/bin/sh /opt/bin/net'),
      '/opt/bin/net': '#!/bin/sh\n. /etc/calico/env\n/opt/bin/calico-start\n',
      '/opt/bin/calico-start': `docker run -d --name calico-node ${NODE}\n`,
    },
    refused: '/opt/bin/calico-start: docker run -d --name calico-node',
  },
  'docker start -a': {
    row: STARTED,
    ...unit('ExecStart=/usr/bin/docker start -a calico-node'),
    refused: 'it starts an existing container, and names no image: ExecStart=/usr/bin/docker start -a',
  },
  'one variable for two images': {
    row: SHARED,
    files: {
      [UNIT]: text(
        'EnvironmentFile=/etc/calico/calico.env',
        'ExecStartPre=/usr/bin/docker run --rm -v /opt/cni/bin:/host calico/cni:${CALICO_VERSION}',
        `ExecStart=${RUN} quay.io/calico/node:\${CALICO_VERSION}`,
      ),
      '/etc/calico/calico.env': 'CALICO_VERSION=v2.6.5\n',
    },
    refused: 'the variable in its image quay.io/calico/node:v2.6.5 is also used in calico/cni:v2.6.5',
  },
  'a variable that the unit of another image has': {
    row: SHARED,
    files: {
      [UNIT]: text('EnvironmentFile=/etc/calico/calico.env', `ExecStart=${RUN} quay.io/calico/node:\${TAG}`),
      [`${DIRECTORY}/cni.service`]: text(
        'EnvironmentFile=/etc/calico/*.env',
        'ExecStart=/usr/bin/docker run --rm -v /opt/cni/bin:/host quay.io/calico/cni:${TAG}',
      ),
      '/etc/calico/calico.env': 'A=1\nTAG=v2.6.5\n',
    },
    refused: 'the variable TAG in its image is also used in cni.service, as quay.io/calico/cni:${TAG}',
  },
  'an image that is pulled before': {
    row: SHARED,
    ...unit(`ExecStartPre=-/usr/bin/docker pull ${NODE}`, `ExecStart=${RUN} ${NODE}`),
    refused: 'several commands',
  },
  'a second unit that is over': {
    row: ELSEWHERE,
    files: {
      [UNIT]: text(`ExecStart=${RUN} ${NODE}`),
      [`${DIRECTORY}/boot.service`]: text('ExecStart=/opt/bin/calicoctl node run'),
    },
    states: { 'boot.service': { active: 'inactive' } },
    refused:
      'kept-elsewhere: cannot upgrade calico-node: boot.service starts it too: ExecStart=/opt/bin/calicoctl',
  },
  'cron @reboot': {
    row: ELSEWHERE,
    files: { '/etc/cron.d/calico': `@reboot root /usr/bin/docker run -d --name=calico-node ${NODE}\n` },
    refused: '/etc/cron.d/calico starts it too: @reboot root /usr/bin/docker run -d',
  },
  'a script that cron runs every hour': {
    row: ELSEWHERE,
    files: {
      '/etc/cron.hourly/calico': '#!/bin/sh\ndocker inspect calico-node || docker start calico-node\n',
    },
    refused: '/etc/cron.hourly/calico starts it too: docker inspect calico-node || docker start',
  },
  'a crontab with a script': {
    row: ELSEWHERE,
    files: {
      '/var/spool/cron/crontabs/root': '@reboot /root/calico.sh >/dev/null 2>&1\n',
      '/root/calico.sh': `docker run -d --name=calico-node ${NODE}\n`,
    },
    refused: '/var/spool/cron/crontabs/root starts it too: /root/calico.sh: docker run -d',
  },
  upstart: {
    row: ELSEWHERE,
    hasSystemd: false,
    files: {
      '/etc/init/calico-node.conf': `start on started docker\nrespawn\nscript\n  . /etc/calico.env\n  exec /usr/bin/docker run --name=calico-node $IMAGE\nend script\n`,
    },
    refused: '/etc/init/calico-node.conf starts it too: exec /usr/bin/docker run --name=calico-node $IMAGE',
  },
  supervisord: {
    row: ELSEWHERE,
    files: {
      '/etc/supervisor/conf.d/net.conf': `[program:calico]\ncommand=/opt/bin/calicoctl node --detach=false\n`,
    },
    refused: 'net.conf starts it too: command=/opt/bin/calicoctl node --detach=false',
  },
  monit: {
    row: ELSEWHERE,
    files: {
      '/etc/monit/conf.d/net': `check process calico\n start program = "/usr/bin/docker start calico-node"\n`,
    },
    refused: '/etc/monit/conf.d/net starts it too: start program = "/usr/bin/docker start calico-node"',
  },
  runit: {
    row: ELSEWHERE,
    files: { '/etc/sv/calico/run': `#!/bin/sh\nexec docker run --name=calico-node ${NODE}\n` },
    refused: '/etc/sv/calico/run starts it too: exec docker run',
  },
  'controllers by docker-compose': {
    row: COMPOSE,
    of: 'controllers',
    files: {
      [`${DIRECTORY}/policy.service`]: text('ExecStart=/usr/bin/docker compose -f /etc/c.yaml up'),
      '/etc/c.yaml': `services:\n  c:\n    image: ${CONTROLLERS}\n`,
    },
    refused: 'ExecStart=/usr/bin/docker compose -f /etc/c.yaml up',
  },
  'controllers made before': {
    row: BEFORE,
    of: 'controllers',
    ...unit(
      `ExecStartPre=/usr/bin/docker run -d --name=calico-kube-controllers ${CONTROLLERS}`,
      'ExecStart=/bin/sleep infinity',
    ),
    refused: 'ExecStartPre=/usr/bin/docker run -d --name=calico-kube-controllers',
  },
  'controllers by a oneshot that is over': {
    row: DOWN,
    of: 'controllers',
    ...unit('Type=oneshot', `ExecStart=/usr/bin/docker run -d --name=calico-kube-controllers ${CONTROLLERS}`),
    states: over,
    refused: 'it is not active, but starts calico-kube-controllers at the next boot',
  },
  'controllers by cron': {
    row: ELSEWHERE,
    of: 'controllers',
    files: { '/etc/crontab': `@reboot root docker run -d --name calico-kube-controllers ${CONTROLLERS}\n` },
    refused: '/etc/crontab starts it too: @reboot root docker run -d',
  },
}
