"""
States of the Calico host agent.

    calico:
      calico_agent.upgraded:
        - require:
          - file: /etc/calico-agent/agent.yaml

In test mode, the result is None if something would change. ``config`` is what to look at in place of the minion's own
config: the path of a file, or a mapping, such as the config that a state before this one would have written.
"""

NOT_INSTALLED = "the agent would be installed first; only then can it report what it would change"


def prefetched(name, to=None, node=None, cni=None, controllers=None, only=None, config=None):
    """What an upgrade needs is on the host: images are pulled, CNI plugins are staged. Nothing that runs changes."""
    if _is_still_missing():
        return _result(name, None, NOT_INSTALLED)
    target = {"to": to, "node": node, "cni": cni, "controllers": controllers, "only": only}
    report = __salt__["calico_agent.prefetch"](**target, config=config, check=__opts__["test"])
    steps = {step["summary"]: {"old": "", "new": step["status"]} for step in report["steps"]}
    return _of_report(name, report, steps)


def ready(name, to=None, node=None, cni=None, controllers=None, only=None, allow=None, config=None):
    """An upgrade of the host can start: each rule of ``calico-agent doctor`` holds, or ``allow`` overrides it."""
    if _is_still_missing():
        return _result(name, None, NOT_INSTALLED)
    target = {"to": to, "node": node, "cni": cni, "controllers": controllers, "only": only}
    report = __salt__["calico_agent.doctor"](**target, config=config)
    allowed = [allow] if isinstance(allow, str) else allow or []
    barring = [
        "%(code)s: %(seen)s. Way out: %(fix)s" % check
        for check in report["checks"]
        if not check["passes"] and check["severity"] == "error" and check["code"] not in allowed
    ]
    return _result(name, not barring, "\n".join(barring) or "an upgrade can start")


def upgraded(
    name,
    to=None,
    node=None,
    cni=None,
    controllers=None,
    only=None,
    window=None,
    allow=None,
    wait=None,
    config=None,
):
    """
    The host runs what its config asks for, or ``to`` (a release), ``node``, ``cni`` and ``controllers``.

    A run that was refused, rolled back, stuck, or deferred because another run or another host is at work, is a failure.
    Its comment has the way out.
    """
    if _is_still_missing():
        return _result(name, None, NOT_INSTALLED)
    target = {"to": to, "node": node, "cni": cni, "controllers": controllers, "only": only}
    options = {"window": window, "allow": allow, "wait": wait, "config": config, "check": __opts__["test"]}
    report = __salt__["calico_agent.upgrade"](**target, **options)
    return _of_report(name, report, _components(report))


def _is_still_missing():
    return __opts__["test"] and not __salt__["calico_agent.installed"]()


def _of_report(name, report, changes):
    if report["rc"] != 0:
        result = False
    else:
        result = None if __opts__["test"] and report["changed"] else True
    run = "" if report["run"] is None else " by run " + report["run"]
    problems = sorted(report["problems"], key=lambda problem: problem["severity"] != "error")
    comment = "\n".join([report["outcome"] + run, *map(_problem, problems)])
    return _result(name, result, comment, changes if report["changed"] else {})


def _result(name, result, comment, changes=None):
    return {"name": name, "result": result, "changes": changes or {}, "comment": comment}


def _components(report):
    changes = {
        component: {"old": change["from"], "new": change["to"]}
        for component, change in report["components"].items()
        if change["from"] != change["to"]
    }
    # A tag that now points to another image has the same name on both sides.
    return changes or {"images": {"old": "as before", "new": "what their tags point to now"}}


def _problem(problem):
    return "%(code)s: %(message)s. Way out: %(fix)s" % problem
