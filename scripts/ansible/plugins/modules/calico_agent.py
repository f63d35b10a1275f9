#!/usr/bin/python
"""Upgrades, prefetches or rolls back, and reports what the agent reports."""

DOCUMENTATION = r"""
module: calico_agent
short_description: Upgrade Calico on a host, or roll it back
version_added: 0.2.0
description:
  - Upgrades Calico on a host by C(calico-agent), inside BIRD's graceful-restart window. A host that fails goes back to what it
    ran before, and the task fails.
  - A host that is as asked does not change.
options:
  state:
    description:
      - C(upgraded), the host runs what I(config), or the host's own config, or I(to), I(node), I(cni) and I(controllers) name.
      - C(prefetched), what that upgrade needs is on the host. Nothing that runs changes.
      - C(rolled_back), what the last committed run, or I(run), replaced is back. A host whose last committed run is a rollback
        does not change when I(run) is not given.
    type: str
    choices: [upgraded, prefetched, rolled_back]
    default: upgraded
  run:
    description: The run to undo, with I(state=rolled_back).
    type: str
  window:
    description: An upper limit of the window in seconds. Not with I(state=prefetched).
    type: int
  allow:
    description: Preflight rules to override. Not with I(state=prefetched).
    type: list
    elements: str
  wait:
    description:
      - For how long the upgrade may wait for its turn among other hosts, such as C(30m), where C(fleet) is configured.
      - When it is over, or without it, the task fails with C(rc=75), and nothing has changed.
      - Only with I(state=upgraded). Check mode does not wait.
    type: str
extends_documentation_fragment:
  - calico_host.agent.calico_agent
attributes:
  check_mode:
    description: Can run in check_mode and return changed status prediction without modifying target.
    support: full
  diff_mode:
    description: Shows each field of a container that changes, and each line of the CNI config, with secrets hidden.
    support: full
seealso:
  - module: calico_host.agent.calico_agent_info
"""

EXAMPLES = r"""
- name: Run what /etc/calico-agent/agent.yaml names
  calico_host.agent.calico_agent:

- name: Upgrade the node alone, and try again while another run holds the lock of the host
  calico_host.agent.calico_agent:
    node: quay.io/calico/node:v2.6.12
    only: [node]
  register: result
  until: result.rc | default(0) != 75
  retries: 20
  delay: 30

- name: Pull the images of a release ahead of its upgrade
  calico_host.agent.calico_agent:
    state: prefetched
    to: v2.6.12

- name: Wait for this host's turn, where the config has a fleet
  calico_host.agent.calico_agent:
    wait: 30m

- name: Go back to what ran before
  calico_host.agent.calico_agent:
    state: rolled_back
"""

RETURN = r"""
outcome:
  description:
    - The agent's outcome, such as C(upgraded), C(unchanged), C(planned), C(prefetched), C(rolled-back) or C(refused).
    - C(unknown) where the agent is not installed yet, in check mode.
  type: str
  returned: always
  sample: upgraded
rc:
  description: The agent's exit code. C(75) when another run, or another host of the fleet, is at work.
  type: int
  returned: when the agent ran
  sample: 0
components:
  description: What changes, by component.
  type: dict
  returned: when the agent ran
  sample: {"node": {"from": "quay.io/calico/node:v2.6.5", "to": "quay.io/calico/node:v2.6.12"}}
report:
  description: The agent's whole JSON.
  type: dict
  returned: when the agent ran
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.calico_host.agent.plugins.module_utils.calico_agent import (
    TARGET,
    TARGET_SPEC,
    is_installed,
    run_agent,
    target_words,
    with_way_out,
)

COMMANDS = {"upgraded": "upgrade", "prefetched": "prefetch", "rolled_back": "rollback"}

# By state: the options that its command takes.
TAKES = {
    "upgraded": {*TARGET, "only", "window", "allow", "wait"},
    "prefetched": {*TARGET, "only"},
    "rolled_back": {"run", "window", "allow"},
}


def refuse_stray_options(module):
    state = module.params["state"]
    known = set().union(*TAKES.values())
    stray = sorted(name for name in known - TAKES[state] if module.params[name])
    if stray:
        module.fail_json(msg="state=%s does not take %s" % (state, ", ".join(stray)), outcome="refused")
    if (module.params["run"] or "").startswith("-"):
        module.fail_json(msg="%(run)s is not the name of a run" % module.params, outcome="refused")


def words(module):
    params = module.params
    argv = [params["run"]] if params["run"] else []
    argv += target_words(params)
    argv += ["--allow=" + rule for rule in params["allow"] or []]
    if params["window"] is not None:
        argv.append("--window=%d" % params["window"])
    if module.check_mode:
        return argv + ["--check"]
    return argv + (["--wait=" + params["wait"]] if params["wait"] else [])


def is_back_already(module):
    """The last run that was kept is a rollback: another one would go forward again."""
    _rc, history = run_agent(module, "history")
    for run in history["runs"]:
        if run["outcome"] in (None, "upgraded", "partial"):
            return False  # an open run is settled first, and may be kept
        if (run["command"], run["outcome"]) == ("rollback", "rolled-back"):
            _rc, told = run_agent(module, "history", run["run"])
            if "going-back" not in [event["event"] for event in told["timeline"]["events"]]:
                return True
    return False


def diffs(report):
    return [
        {
            "before_header": entry["target"],
            "after_header": entry["target"],
            "before": entry["before"] + "\n",
            "after": entry["after"] + "\n",
        }
        for entry in report["diff"]
    ]


def finish(module, rc, report):
    result = {
        "changed": report["changed"],
        "outcome": report["outcome"],
        "rc": rc,
        "components": report["components"],
        "report": report,
    }
    if module._diff and report["changed"]:
        result["diff"] = diffs(report)
    for warning in with_way_out(p for p in report["problems"] if p["severity"] == "warning"):
        module.warn(warning)
    if rc == 0:
        module.exit_json(**result)
    errors = with_way_out(p for p in report["problems"] if p["severity"] == "error")
    module.fail_json(msg="%s: %s" % (report["outcome"], "; ".join(errors)), **result)


def main():
    module = AnsibleModule(
        argument_spec={
            **TARGET_SPEC,
            "state": {"type": "str", "choices": list(COMMANDS), "default": "upgraded"},
            "run": {"type": "str"},
            "window": {"type": "int"},
            "allow": {"type": "list", "elements": "str"},
            "wait": {"type": "str"},
        },
        supports_check_mode=True,
    )
    refuse_stray_options(module)
    state = module.params["state"]
    if module.check_mode and not is_installed(module):
        module.exit_json(
            changed=True,
            outcome="unknown",
            msg="the agent would be installed first; only then can it report what it would change",
        )
    if state == "rolled_back" and not module.params["run"] and is_back_already(module):
        module.exit_json(changed=False, outcome="unchanged", msg="the last run that was kept is a rollback")
    finish(module, *run_agent(module, COMMANDS[state], *words(module)))


if __name__ == "__main__":
    main()
