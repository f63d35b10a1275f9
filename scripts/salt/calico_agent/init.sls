# Installs the agent from the master's files, writes its config from pillar, and upgrades. One minion at a time:
#
#   salt --batch-size 1 --failhard -G 'calico:true' state.apply calico_agent test=True
#   salt --batch-size 1 --failhard -G 'calico:true' state.apply calico_agent
#
# Pillar:
#   calico_agent:
#     version: 0.1.0
#     config:
#       node:
#         image: quay.io/calico/node:v2.6.12
{% set agent = pillar['calico_agent'] %}

calico-agent:
  pkg.installed:
    - refresh: False
    - sources:
      - calico-agent: salt://calico_agent/files/calico-agent_{{ agent['version'] }}_amd64.deb

/etc/calico-agent/agent.yaml:
  file.serialize:
    - dataset: {{ dict({'apply': 'manual'}, **agent['config']) | tojson }}
    - serializer: yaml
    - mode: '0644'
    - require:
      - pkg: calico-agent

calico:
  calico_agent.upgraded:
    - require:
      - file: /etc/calico-agent/agent.yaml
