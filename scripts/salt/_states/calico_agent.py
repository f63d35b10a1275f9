"""
States of the Calico host agent.

    calico:
      calico_agent.upgraded:
        - require:
          - file: /etc/calico-agent/agent.yaml
"""


def upgraded(
    name, to=None, node=None, cni=None, controllers=None, only=None, window=None, allow=None, config=None
):
    """
    The host runs what its config asks for, or ``to`` (a release), ``node``, ``cni`` and ``controllers``.

    In test mode, the result is None if something would change. A run that was refused, rolled back, stuck, or
    deferred because of another run is a failure. Its comment has the way out.
    """
    test = __opts__["test"]
    if test and not __salt__["calico_agent.installed"]():
        comment = "the agent would be installed first; only then can it report what it would change"
        return {"name": name, "result": None, "changes": {}, "comment": comment}
    target = {"to": to, "node": node, "cni": cni, "controllers": controllers, "only": only}
    report = __salt__["calico_agent.upgrade"](**target, window=window, allow=allow, config=config, check=test)
    failed = report["rc"] != 0
    return {
        "name": name,
        "result": False if failed else None if test and report["changed"] else True,
        "changes": _changes(report) if report["changed"] else {},
        "comment": _comment(report),
    }


def _changes(report):
    changes = {
        component: {"old": change["from"], "new": change["to"]}
        for component, change in report["components"].items()
        if change["from"] != change["to"]
    }
    # A tag that now points to another image has the same name on both sides.
    return changes or {"images": {"old": "as before", "new": "what their tags point to now"}}


def _comment(report):
    problems = ["%(code)s: %(message)s. Way out: %(fix)s" % problem for problem in report["problems"]]
    run = "" if report["run"] is None else " by run " + report["run"]
    return "\n".join([report["outcome"] + run, *problems])
