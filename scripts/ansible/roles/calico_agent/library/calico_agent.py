#!/usr/bin/python3
"""Runs `calico-agent upgrade --json`, and reports what the agent reports."""

import json
import os
import tempfile

from ansible.module_utils.basic import AnsibleModule

DOCUMENTATION = """
module: calico_agent
short_description: upgrades Calico on a host to the version that its config names
description:
  - Runs C(calico-agent upgrade --json). A host that already runs it does not change.
  - In check mode, it runs C(--check), which only plans.
options:
  config:
    description:
      - The config that the host will have. It is used only in check mode, when it is not yet on disk;
        otherwise the agent reads its own file.
    type: dict
  to:
    description: The release that this host is to run; overrides the config.
    type: str
  node:
    description: The calico/node image; overrides the config.
    type: str
  cni:
    description: Where the CNI plugins come from, an image, a directory or an archive; overrides the config.
    type: str
  controllers:
    description: The image of kube-controllers; overrides the config.
    type: str
  only:
    description: Parts to upgrade, such as C(node) or C(cni); all of them by default.
    type: list
    elements: str
    default: []
  window:
    description: Upper limit of the window in seconds; at most 90, and at most BIRD's restart time.
    type: int
  allow:
    description: Preflight rules to override.
    type: list
    elements: str
    default: []
  executable:
    description: The agent's executable.
    type: path
    default: /usr/bin/calico-agent
"""

RETURN = """
outcome:
  description: the agent's outcome, such as C(upgraded), C(unchanged), C(planned), C(rolled-back), C(partial), C(refused)
  type: str
  returned: always
rc:
  description: the agent's exit code; 75 when another run holds the host's lock
  type: int
  returned: when the agent ran
components:
  description: what changes, C(from) and C(to) by component
  type: dict
  returned: when the agent ran
report:
  description: the agent's whole JSON report
  type: dict
  returned: when the agent ran
"""


def arguments(params, config_file):
    argv = [params["executable"], "upgrade", "--json"]
    if config_file:
        argv += ["--check", "--config=" + config_file]
    for name in ("to", "node", "cni", "controllers", "window"):
        if params[name] is not None:
            argv.append("--%s=%s" % (name, params[name]))
    if params["only"]:
        argv.append("--only=" + ",".join(params["only"]))
    for rule in params["allow"]:
        argv.append("--allow=" + rule)
    return argv


def planned_config(module):
    """The file that --check reads: the config that the host will have, or already has."""
    if module.params["config"] is None:
        return "/etc/calico-agent/agent.yaml"
    handle, path = tempfile.mkstemp(suffix=".yaml", dir=module.tmpdir)
    with os.fdopen(handle, "w") as file:
        json.dump(module.params["config"], file)  # JSON is YAML
    return path


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


def run(module):
    config_file = planned_config(module) if module.check_mode else None
    argv = arguments(module.params, config_file)
    # a value is a value: no $VARIABLE and no ~ of it is expanded
    rc, out, err = module.run_command(argv, expand_user_and_vars=False)
    try:
        report = json.loads(out)
    except ValueError:
        module.fail_json(msg="cannot read the agent's output", outcome="unknown", rc=rc, stdout=out, stderr=err)
    result = {
        "changed": report["changed"],
        "outcome": report["outcome"],
        "rc": rc,
        "components": report["components"],
        "report": report,
    }
    if module._diff and report["changed"]:
        result["diff"] = diffs(report)
    for problem in report["problems"]:
        if problem["severity"] == "warning":
            module.warn("%(message)s (%(fix)s)" % problem)
    if rc == 0:
        module.exit_json(**result)
    errors = ["%(code)s: %(message)s. Way out: %(fix)s" % p for p in report["problems"] if p["severity"] == "error"]
    module.fail_json(msg="%s: %s" % (report["outcome"], "; ".join(errors)), **result)


def main():
    module = AnsibleModule(
        argument_spec={
            "config": {"type": "dict"},
            "to": {"type": "str"},
            "node": {"type": "str"},
            "cni": {"type": "str"},
            "controllers": {"type": "str"},
            "only": {"type": "list", "elements": "str", "default": []},
            "window": {"type": "int"},
            "allow": {"type": "list", "elements": "str", "default": []},
            "executable": {"type": "path", "default": "/usr/bin/calico-agent"},
        },
        supports_check_mode=True,
    )
    if module.check_mode and not os.path.exists(module.params["executable"]):
        module.exit_json(
            changed=True,
            outcome="unknown",
            msg="the agent would be installed first; only then can it report what it would change",
        )
    run(module)


if __name__ == "__main__":
    main()
