# One minion at a time: calico_agent.orchestrate.
{% from 'calico_agent/settings.jinja' import agent, config with context %}

/etc/calico-agent/agent.yaml:
  file.managed:
    - contents: {{ config | yaml(False) | tojson }}
    - mode: '0644'
    - check_cmd: calico-agent config check

calico:
  calico_agent.upgraded:
    - allow: {{ agent.get('allow') | tojson }}
    - window: {{ agent.get('window') | tojson }}
    - wait: {{ agent.get('wait') | tojson }}
{%- if opts['test'] %}
    # the file is still the old one
    - config: {{ config | tojson }}
{%- endif %}
    - require:
      - file: /etc/calico-agent/agent.yaml
