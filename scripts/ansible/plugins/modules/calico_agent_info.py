#!/usr/bin/python
"""What the agent knows of its host."""

DOCUMENTATION = r"""
module: calico_agent_info
short_description: Report what runs on a host, its runs, and whether an upgrade can start
version_added: 0.2.0
description:
  - Runs C(calico-agent status), C(doctor) and C(history), which change nothing and take no lock.
  - With a target, from the config or from I(to), I(node), I(cni) or I(controllers), it asks the registry as well.
options:
  gather:
    description: What to report.
    type: list
    elements: str
    choices: [status, doctor, history]
    default: [status, doctor, history]
extends_documentation_fragment:
  - calico_host.agent.calico_agent
attributes:
  check_mode:
    description: Can run in check_mode and return changed status prediction without modifying target.
    support: full
  diff_mode:
    description: Returns details on what has changed when in diff mode.
    support: N/A
seealso:
  - module: calico_host.agent.calico_agent
"""

EXAMPLES = r"""
- name: Look at the host
  calico_host.agent.calico_agent_info:
    gather: [status, history]
  register: calico

- name: Show what runs
  ansible.builtin.debug:
    msg: "{{ calico.status.node.image }} since {{ calico.history.runs[0].endedAt }}"

- name: Check that an upgrade to a release could start
  calico_host.agent.calico_agent_info:
    gather: [doctor]
    to: v2.6.12
  register: checked
  failed_when: not checked.doctor.ready
"""

RETURN = r"""
installed:
  description: Whether the host has the agent. Nothing else is returned where it has not.
  type: bool
  returned: always
status:
  description: The JSON of C(calico-agent status), the containers, BIRD's sessions, the CNI plugins and the last run.
  type: dict
  returned: when asked for
doctor:
  description: The JSON of C(calico-agent doctor).
  type: dict
  returned: when asked for
  contains:
    ready:
      description: Whether an upgrade can start.
      type: bool
    checks:
      description: Each preflight rule, whether it passes, and how to fix it.
      type: list
      elements: dict
history:
  description: The JSON of C(calico-agent history), the runs of the host, newest first.
  type: dict
  returned: when asked for
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.calico_host.agent.plugins.module_utils.calico_agent import (
    TARGET_SPEC,
    is_installed,
    run_agent,
    target_words,
    with_way_out,
)

# By command: the exit codes of a report. A doctor that finds something exits with 3.
REPORTS = {"status": (0,), "doctor": (0, 3), "history": (0,)}


def gathered(module, command):
    words = [] if command == "history" else target_words(module.params)
    rc, report = run_agent(module, command, *words)
    if rc not in REPORTS[command]:
        problems = "; ".join(with_way_out(report.get("problems", [])))
        module.fail_json(msg="cannot get the %s of the host: %s" % (command, problems), rc=rc, report=report)
    return report


def main():
    module = AnsibleModule(
        argument_spec={
            **TARGET_SPEC,
            "gather": {"type": "list", "elements": "str", "choices": list(REPORTS), "default": list(REPORTS)},
        },
        supports_check_mode=True,
    )
    if not is_installed(module):
        module.exit_json(changed=False, installed=False)
    module.exit_json(
        changed=False,
        installed=True,
        **{command: gathered(module, command) for command in module.params["gather"]},
    )


if __name__ == "__main__":
    main()
