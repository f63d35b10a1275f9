# Stages the minions, ten at a time, then upgrades them one by one, and ends at the first that fails:
#
#   salt-run state.orchestrate calico_agent.orchestrate test=True
#   salt-run state.orchestrate calico_agent.orchestrate
#   salt-run state.orchestrate calico_agent.orchestrate pillar='{"tgt": "node1*", "tgt_type": "glob"}'
#
# timeout: longer than the longest run of a host. After it, Salt 3008 may go on to the next minion while the first is still
# at work; without one, after about 15 s.
{% set tgt = pillar.get('tgt', 'calico:true') %}
{% set tgt_type = pillar.get('tgt_type', 'grain') %}
{% set timeout = pillar.get('timeout', 600) %}
# Only minions that answer: each batch would wait the whole timeout for one that does not.
{% set minions = salt['saltutil.runner']('manage.up', kwarg={'tgt': tgt, 'tgt_type': tgt_type}) %}

stage:
  salt.state:
    - tgt: {{ minions | tojson }}
    - tgt_type: list
    - sls: calico_agent.stage
    - batch: {{ pillar.get('stage_batch', 10) | tojson }}
    - timeout: {{ timeout | tojson }}

upgrade:
  salt.state:
    - tgt: {{ minions | tojson }}
    - tgt_type: list
    - sls: calico_agent.upgrade
    - batch: 1
    - failhard: True
    - timeout: {{ timeout | tojson }}
    - require:
      - salt: stage
