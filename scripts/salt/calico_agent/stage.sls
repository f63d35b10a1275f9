# All that can be done ahead, on all minions at once: the agent, the images and CNI plugins, and whether an upgrade can
# start. The config is the coming one: it is not written yet.
{% from 'calico_agent/settings.jinja' import agent, config with context %}

calico-agent:
  pkg.installed:
    - refresh: False
    - sources:
      - calico-agent: salt://calico_agent/files/calico-agent_{{ agent['version'] }}_{{ grains['osarch'] }}.deb

calico-prefetched:
  calico_agent.prefetched:
    - config: {{ config | tojson }}
    - require:
      - pkg: calico-agent

calico-ready:
  calico_agent.ready:
    - config: {{ config | tojson }}
    - allow: {{ agent.get('allow') | tojson }}
    - require:
      - calico_agent: calico-prefetched
